/** SHA-256 (FIPS 180-4) of a file, piece by piece: crypto.subtle is missing on plain http, and needs whole files in memory. */

import { pause } from "./slices.js";

const BLOCK = 64;
const PIECE = 2 ** 19;
const PRIMES = firstPrimes(64);
/** The first 32 bits of the fractions of the primes' cube roots and, of eight, of their square roots. */
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Uint32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

/**
 * @param {Blob} blob
 * @returns {Promise<string>} 64 hexadecimal digits.
 */
export async function sha256(blob) {
  const state = START.slice();
  const words = new Int32Array(64);
  const whole = blob.size - (blob.size % BLOCK);
  for (let from = 0; from < whole; from += PIECE) {
    const piece = await blob.slice(from, Math.min(from + PIECE, whole)).arrayBuffer();
    addBlocks(state, new DataView(piece), words);
    await pause();
  }
  addBlocks(state, ending(await blob.slice(whole).arrayBuffer(), blob.size), words);
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

/** The last bytes, a one, zeros, and the number of bits. */
function ending(rest, size) {
  const padded = new Uint8Array(rest.byteLength + 9 > BLOCK ? 2 * BLOCK : BLOCK);
  padded.set(new Uint8Array(rest));
  padded[rest.byteLength] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(size / 2 ** 29));
  view.setUint32(padded.length - 4, size * 8);
  return view;
}

function addBlocks(state, view, words) {
  for (let offset = 0; offset < view.byteLength; offset += BLOCK) addBlock(state, view, offset, words);
}

/** Single variables: with arrays this takes ten times as long. */
function addBlock(state, view, offset, w) {
  for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(offset + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const s0 = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let a = state[0] | 0;
  let b = state[1] | 0;
  let c = state[2] | 0;
  let d = state[3] | 0;
  let e = state[4] | 0;
  let f = state[5] | 0;
  let g = state[6] | 0;
  let h = state[7] | 0;
  for (let i = 0; i < 64; i += 1) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function turned(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}

function fraction(root) {
  return Math.floor((root % 1) * 2 ** 32);
}

function firstPrimes(n) {
  const primes = [];
  for (let number = 2; primes.length < n; number += 1) if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return primes;
}
