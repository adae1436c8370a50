"""The official client's types (*.d.ts), read: interfaces by their full name, with their members and what those are. No more than
these files need; TypeScript itself would be a package for four questions."""

import functools
import pathlib
import re

RESOURCES = pathlib.Path(__file__).resolve().parent / 'node_modules/stripe/cjs/resources'
OPENS = re.compile(r'(?:export )?(?:declare )?(namespace|interface|class) (\w+)([^{]*)\{|(?:export )?(?:declare )?type (\w+)(?:<\w+>)? = ')


class Types:
    """One file and what all files share. `interfaces`: name -> {member: (type, optional)}; `aliases`: name -> type."""

    def __init__(self, file):
        self.interfaces, self.aliases = {}, {}
        for path in (RESOURCES.parent / 'shared.d.ts', RESOURCES / file):
            text = re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S)
            self.read(text, '')

    def read(self, text, scope):
        at = 0
        while found := OPENS.search(text, at):
            kind, name, more, alias = found.groups()
            if alias:
                at = text.index(';', found.end())
                self.aliases[scope + alias] = text[found.end():at]
                continue
            at = closing(text, found.end())
            inside = text[found.end():at - 1]
            if kind == 'namespace':
                self.read(inside, f'{scope}{name}.')
            elif kind == 'interface':
                self.interfaces[scope + name] = members(inside)
                if parent := re.search(r'extends ([\w.]+)', more):
                    self.interfaces[scope + name].update(self.interfaces.get(parent[1], {}))

    def find(self, name, scope):
        """What a name means inside of `scope`, an interface's full name: the name in full, or None for other files' types."""
        parts = scope.split('.')
        for length in range(len(parts), -1, -1):
            full = '.'.join(parts[:length] + [name])
            if full in self.interfaces or full in self.aliases:
                return full
        return None


def closing(text, at):
    """Behind the brace that closes the one before `at`."""
    depth = 1
    while depth:
        depth += {'{': 1, '}': -1}.get(text[at], 0)
        at += 1
    return at


def members(text):
    found = {}
    for name, optional, kind in re.findall(r"^\s*'?([\w.]+)'?(\??): ((?:[^;{]|\{[^}]*\})*);", text, re.M):
        found[name] = ' '.join(kind.split()), bool(optional)
    return found


@functools.cache
def types_of(file):
    return Types(file)


def parts(kind):
    """The alternatives of a type, without those that say nothing, and whether it may be emptied."""
    emptyable = kind.startswith('Emptyable<')
    kind = kind.removeprefix('Emptyable<').removesuffix('>') if emptyable else kind
    return [one.strip() for one in kind.split('|') if one.strip() not in ('null', 'undefined')], emptyable


def objects(types, kind, scope):
    """The interfaces of this file that a type is or holds, with whether they are elements of an array."""
    for one in parts(kind)[0]:
        array = re.fullmatch(r'Array<(.*)>', one)
        name = types.find(array[1] if array else one, scope)
        if name in types.interfaces:
            yield name


def expandable(types, name, prefix='', inside=()):
    """The paths in an object, not in what they lead to, where an id or the whole object may stand; lists with `.data`."""
    for member, (kind, _) in types.interfaces[name].items():
        some = parts(kind)[0]
        if some[0] == 'string' and len(some) > 1 and not any(one.startswith("'") or types.find(one, name) in types.aliases for one in some[1:]):
            yield prefix + member
        elif some[0].startswith('ApiList<'):
            yield prefix + member + '.data'
        elif not member.endswith('_error'):  # of the past: an error's objects are not expanded
            for full in objects(types, kind, name):
                if full not in inside:
                    yield from expandable(types, full, f'{prefix}{member}.', (*inside, name))


class Parameter:
    """One parameter that a call's types have: its name as it is written, and what may stand there."""

    def __init__(self, types, scope, name, kind):
        self.name = name
        self.kinds, self.emptyable = parts(kind)
        self.array = [one for one in self.kinds if one.startswith('Array<')]
        self.objects = [full for one in self.kinds if (full := types.find(re.sub(r'^Array<(.*)>$', r'\1', one), scope)) in types.interfaces]
        self.metadata = 'MetadataParam' in self.kinds
        self.choices = choices(types, scope, re.sub(r'^Array<(.*)>$', r'\1', self.kinds[0]))
        self.whole = bool(self.objects) and not self.metadata  # has members of its own


def choices(types, scope, kind):
    """The texts of an enumeration; empty for what is none."""
    kind = types.aliases.get(types.find(kind, scope), kind)
    return re.findall(r"'([^']*)'", kind)


def parameters(types, name, prefix=''):
    """All parameters of a call, those with members before their members."""
    for member, (kind, _) in types.interfaces[name].items():
        one = Parameter(types, name, f'{prefix}[{member}]' if prefix else member, kind)
        yield one
        for full in one.objects if one.whole else []:
            yield from parameters(types, full, one.name + ('[0]' if one.array else ''))
