import fs from "node:fs/promises";
import path from "node:path";
import type { Pool } from "../admin-core/model/storage/contract.ts";
import { deviceNumber } from "./sparse-copy.ts";

/** The first of the other pools that a directory lies in, by its path or by the device of its file system (spec section 2); null if none or not known. */
export async function findSurrounding(directory: string, others: readonly Pool[]): Promise<Pool | null> {
	try {
		const own = await fs.realpath(directory);
		return (await findByPath(own, others)) ?? (await findByThinPool(own, others));
	} catch {
		return null;
	}
}

async function findByPath(own: string, others: readonly Pool[]): Promise<Pool | null> {
	for (const pool of others) {
		const configured = pool.config().get("dir_path");
		if (configured === undefined) continue;
		const other = await fs.realpath(configured).catch(() => null);
		if (other !== null && isWithin(own, other)) return pool;
	}
	return null;
}

/** By components: "/foo" does not contain "/foobar". */
function isWithin(inner: string, outer: string): boolean {
	const way = path.relative(outer, inner);
	return way === "" || (way !== ".." && !way.startsWith("../"));
}

async function findByThinPool(own: string, others: readonly Pool[]): Promise<Pool | null> {
	const candidates = others.filter((pool) => pool.config().has("thin_pool"));
	if (candidates.length === 0) return null;
	const device = await fs.stat(await mountedFrom(own), { bigint: true });
	const names = await namesBelow(deviceNumber(device.rdev).join(":"));
	return candidates.find((pool) => names.includes(`${thinPoolName(pool)}-tpool`) || names.includes(thinPoolName(pool))) ?? null;
}

/** The device of the file system that a path is in: of the mounts that contain it the innermost, and of those on one point the last. */
async function mountedFrom(own: string): Promise<string> {
	let best = { point: "", source: "" };
	for (const line of (await fs.readFile("/proc/self/mountinfo", "utf8")).split("\n")) {
		const [mount = "", system = ""] = line.split(" - ");
		const point = unescapeOctal(mount.split(" ")[4] ?? "");
		if (point !== "" && isWithin(own, point) && point.length >= best.point.length) {
			best = { point, source: unescapeOctal(system.split(" ")[1] ?? "") };
		}
	}
	return best.source;
}

function unescapeOctal(text: string): string {
	return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The device mapper's names of a device and of all that it is made of. */
async function namesBelow(device: string): Promise<string[]> {
	const folder = `/sys/dev/block/${device}`;
	const own = await fs.readFile(`${folder}/dm/name`, "utf8").catch(() => "");
	const parts = await fs.readdir(`${folder}/slaves`).catch(() => []);
	const below = await Promise.all(
		parts.map(async (part) => namesBelow((await fs.readFile(`/sys/block/${part}/dev`, "utf8")).trim())),
	);
	return [own.trim(), ...below.flat()];
}

/** As LVM calls it in the device mapper: a dash within a name is doubled. */
function thinPoolName(pool: Pool): string {
	const double = (option: string): string => (pool.config().get(option) ?? "").replaceAll("-", "--");
	return `${double("volume_group")}-${double("thin_pool")}`;
}
