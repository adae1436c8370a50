// Encrypts the card for the vault: a compact JWE (RFC 7516) with ECDH-ES on P-256 (RFC 7518, 4.6) and A256GCM (5.3), by WebCrypto.
// Nothing between this page and the vault can read it. Needs a secure context (https, or http on localhost).

const text = new TextEncoder();

export function base64url(bytes) {
	let s = "";
	for (const b of bytes) s += String.fromCharCode(b);
	return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function uint32(n) {
	return new Uint8Array([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
}

function join(...parts) {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const p of parts) {
		out.set(p, at);
		at += p.length;
	}
	return out;
}

function prefixed(bytes) {
	return join(uint32(bytes.length), bytes);
}

/**
 * Concat KDF (RFC 7518, 4.6.2; NIST SP 800-56A, 5.8.1) with SHA-256 for keys of up to 256 bits: one round.
 * `algorithm` is the "enc" value, apu and apv are bytes (empty in our messages).
 */
export async function concatKdf(z, algorithm, bits, apu = new Uint8Array(), apv = new Uint8Array()) {
	const input = join(uint32(1), z, prefixed(text.encode(algorithm)), prefixed(apu), prefixed(apv), uint32(bits));
	const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", input));
	input.fill(0);
	return hash.slice(0, bits / 8);
}

/** The first key of a JWK set that we can use, or null. */
export function usableKey(set) {
	const fits = (k) => k.kty === "EC" && k.crv === "P-256" && (k.use ?? "enc") === "enc" && (k.alg ?? "ECDH-ES") === "ECDH-ES";
	return set?.keys?.find(fits) ?? null;
}

export function canEncrypt() {
	return Boolean(globalThis.crypto?.subtle);
}

/** The compact JWE of a JSON value for the holder of `key` (a public JWK). */
export async function encrypt(key, value) {
	const curve = { name: "ECDH", namedCurve: "P-256" };
	const theirs = await crypto.subtle.importKey("jwk", { kty: key.kty, crv: key.crv, x: key.x, y: key.y }, curve, false, []);
	const ours = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
	const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", ours.publicKey);
	const z = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256));
	const raw = await concatKdf(z, "A256GCM", 256);
	const secret = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
	z.fill(0);
	raw.fill(0);

	const head = { alg: "ECDH-ES", enc: "A256GCM", kid: key.kid, epk: { kty, crv, x, y } };
	const header = base64url(text.encode(JSON.stringify(head)));
	const iv = crypto.getRandomValues(new Uint8Array(12));
	const plain = text.encode(JSON.stringify(value));
	const how = { name: "AES-GCM", iv, additionalData: text.encode(header), tagLength: 128 };
	const sealed = new Uint8Array(await crypto.subtle.encrypt(how, secret, plain));
	plain.fill(0);
	const tag = sealed.length - 16;
	return [header, "", base64url(iv), base64url(sealed.subarray(0, tag)), base64url(sealed.subarray(tag))].join(".");
}
