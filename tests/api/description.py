"""What /openapi.json says, held against what is answered: every answer that a test gets is looked at."""

import re

import jsonschema
import requests


class Description:
    def __init__(self, sandbox):
        answer = requests.get(sandbox.api + '/openapi.json', timeout=20)
        assert answer.status_code == 200, answer.text
        self.document = answer.json()
        self.resolver = jsonschema.RefResolver('', self.document)
        self.validators = {}
        # A word of a path that is no place for an id wins: /v1/customers/search is not a customer.
        self.patterns = sorted(((re.sub(r'\{\w+\}', '[^/]+', path), path) for path in self.document['paths']), key=lambda one: '[' in one[0])

    def operation(self, method, path):
        """The path as it is described, and the operation; None: not described."""
        for pattern, name in self.patterns:
            if re.fullmatch(pattern, path):
                return name, self.document['paths'][name].get(method.lower())
        return path, None

    def validator(self, name, operation, code):
        key = name, id(operation), code
        if key not in self.validators:
            schema = operation['responses'][code]['content']['application/json']['schema']
            self.validators[key] = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        return self.validators[key]

    def check(self, method, path, answer):
        """The answer is one that the description allows."""
        name, operation = self.operation(method, path.split('?')[0])
        if operation is None:
            assert answer.status_code in (401, 403, 404, 405), f'{method} {path} is answered and not described'
            return
        body = answer.json()
        error = jsonschema.exceptions.best_match(
            self.validator(name, operation, '200' if answer.status_code == 200 else 'default').iter_errors(body))
        assert error is None, f'{method} {path}: {error.message} at {list(error.absolute_path)}'
        assert answer.status_code == 200 or 'error' in body
