import { UsageError } from "./errors.ts";

const UNITS: { readonly [unit: string]: number } = {
	...{ "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
	...{ ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30, ti: 2 ** 40 },
};

/** A size in bytes: `10737418240`, `10GiB`, `10Gi` (1024-based), `10G`, `10GB` (1000-based), in any case. Throws UsageError. */
export function parseSize(text: string): number {
	const [, digits = "", unit = ""] = /^(\d+) ?([kmgt]i?)?b?$/i.exec(text) ?? [];
	const size = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
	if (size > Number.MAX_SAFE_INTEGER)
		throw new UsageError(`size "${text}" is too large: want at most ${Number.MAX_SAFE_INTEGER} bytes`);
	if (digits === "" || !Number.isSafeInteger(size)) {
		throw new UsageError(`invalid size "${text}": want a number of bytes, or one with K, M, G, T, Ki, Mi, Gi or Ti`);
	}
	return size;
}
