// Proof of work: finds an answer for which SHA-256(nonce + ":" + answer) begins with so many zero bits.
// It costs a person nothing they notice and a card tester a lot. Works in slices of a few milliseconds so that typing stays smooth;
// the hash is our own because WebCrypto's is a promise for each try and twenty times slower.

const K = new Int32Array(64);
const START = new Int32Array(8);

// The constants of FIPS 180-4, 4.2.2 and 5.3.3: fractional parts of the roots of the first primes.
{
	const primes = [];
	for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
	const part = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
	primes.forEach((p, i) => {
		K[i] = part(Math.cbrt(p));
		if (i < 8) START[i] = part(Math.sqrt(p));
	});
}

const W = new Int32Array(64);

function compress(h, block) {
	for (let t = 0; t < 16; t++) W[t] = (block[4 * t] << 24) | (block[4 * t + 1] << 16) | (block[4 * t + 2] << 8) | block[4 * t + 3];
	for (let t = 16; t < 64; t++) {
		const x = W[t - 15];
		const y = W[t - 2];
		const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
		const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
		W[t] = (W[t - 16] + s0 + W[t - 7] + s1) | 0;
	}
	let [a, b, c, d, e, f, g, k] = h;
	for (let t = 0; t < 64; t++) {
		const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
		const t1 = (k + s1 + ((e & f) ^ (~e & g)) + K[t] + W[t]) | 0;
		const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
		const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		k = g;
		g = f;
		f = e;
		e = (d + t1) | 0;
		d = c;
		c = b;
		b = a;
		a = (t1 + t2) | 0;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
	h[5] += f;
	h[6] += g;
	h[7] += k;
}

/** SHA-256 of an ASCII text as eight words. Exported for its test. */
export function sha256(message) {
	const blocks = Math.ceil((message.length + 9) / 64);
	const padded = new Uint8Array(blocks * 64);
	for (let i = 0; i < message.length; i++) padded[i] = message.charCodeAt(i);
	padded[message.length] = 0x80;
	const bits = message.length * 8;
	for (let i = 0; i < 4; i++) padded[padded.length - 1 - i] = (bits >>> (8 * i)) & 255;
	const h = START.slice();
	for (let i = 0; i < blocks; i++) compress(h, padded.subarray(64 * i, 64 * i + 64));
	return h;
}

export function zeroBits(words) {
	let n = 0;
	for (const w of words) {
		n += Math.clz32(w);
		if (w !== 0) break;
	}
	return n;
}

/** "nonce:answer", or a rejection with AbortError when `signal` says stop. */
export async function solve({ nonce, bits }, signal, slice_ms = 12) {
	for (let answer = 0; ; ) {
		const end = performance.now() + slice_ms;
		do {
			const tried = `${nonce}:${answer++}`;
			if (zeroBits(sha256(tried)) >= bits) return tried;
		} while (performance.now() < end);
		await new Promise((resume) => setTimeout(resume));
		signal?.throwIfAborted();
	}
}
