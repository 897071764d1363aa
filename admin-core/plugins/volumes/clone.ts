import { randomInt } from "node:crypto";
import type { Call } from "../../host/plugin.ts";
import type { App } from "../../model/app.ts";
import { AdminError } from "../../model/errors.ts";
import { importVolume } from "../../model/storage/changes.ts";
import type { Volume } from "../../model/storage/contract.ts";
import { findVolume } from "./find.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 32;
/** Of those that nobody ever uses the oldest are forgotten. */
const MAX_TOKENS = 1000;

/** The volumes that may be copied by whoever knows the token. */
const offered = new WeakMap<App, Map<string, Volume>>();

/** `admin.vm.volume.CloneFrom`: gives a token, with which the volume can be copied once (spec 8.6). */
export function cloneFrom({ app, destination, argument, permit }: Call): string {
	permit({ volume: argument });
	const volume = findVolume(destination, argument);
	const tokens = tokensOf(app);
	const [oldest] = tokens.keys();
	if (tokens.size >= MAX_TOKENS && oldest !== undefined) tokens.delete(oldest);
	const token = Array.from({ length: TOKEN_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
	tokens.set(token, volume);
	return token;
}

/** `admin.vm.volume.CloneTo`: takes over the content of the volume that the token stands for; the token is spent, whatever comes of it. */
export async function cloneTo({ app, destination, argument, payload, permit }: Call): Promise<string> {
	const token = payload.toString("latin1").trim();
	if (/[^!-~]/.test(token)) throw new AdminError("ProtocolError", "token: want letters and digits");
	const source = spend(app, token);
	permit({ src_volume: source, dst_volume: destination.storage.find(argument) });
	await importVolume(destination, findVolume(destination, argument), source);
	return "";
}

function spend(app: App, token: string): Volume {
	const tokens = tokensOf(app);
	const volume = tokens.get(token);
	tokens.delete(token);
	if (volume !== undefined && isThere(app, volume)) return volume;
	throw new AdminError("QubesVolumeCopyTokenNotFoundError", "there is no such token, or it was used, or its volume is gone");
}

function isThere(app: App, volume: Volume): boolean {
	return app.pools.find(volume.pool.name) === volume.pool && volume.pool.volumes().includes(volume);
}

function tokensOf(app: App): Map<string, Volume> {
	const tokens = offered.get(app) ?? new Map<string, Volume>();
	offered.set(app, tokens);
	return tokens;
}
