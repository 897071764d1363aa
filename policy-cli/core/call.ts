import type { Subject } from "./match.ts";
import { afterPrefix, DISPVM_PREFIX } from "./names.ts";
import { type Denial, deny } from "./resolution.ts";
import type { SystemInfo } from "./system-info.ts";
import { parseToken } from "./token.ts";

/** One qrexec call as it comes in. */
export interface Request {
	readonly source: string;
	/** May be empty, which is `@default`. */
	readonly target: string;
	readonly service: string;
	/** With its leading `+`; `+` alone is the empty argument. */
	readonly argument: string;
	/** The RemoteVM on whose behalf the source calls; null or empty is none. */
	readonly requestedSource: string | null;
}

/** A call whose names are known to be sound. */
export interface Call extends Subject {
	/** The qube that really calls, which is the relay where `source` is a RemoteVM. */
	readonly realSource: string;
	/** The RemoteVM's name where one calls, else null. */
	readonly policySource: string | null;
}

/** Splits `SERVICE[+ARGUMENT]` at the first `+`; without one the argument is empty, which is `+` (spec 5.4). */
export function splitService(text: string): { service: string; argument: string } {
	const plus = text.indexOf("+");
	if (plus < 0) return { service: text, argument: "+" };
	return { service: text.slice(0, plus), argument: text.slice(plus) };
}

/** Checks and normalises what the caller said (spec 5.1, 6.7). Warnings are added to the list. Throws DataError. */
export function readCall(request: Request, system: SystemInfo, warnings: string[]): Call | Denial {
	const { source: realSource, service, argument, requestedSource } = request;
	if (system.find(realSource) === null) {
		return deny("unknown-source", `unknown source qube "${realSource}"`, { notify: false });
	}
	const target = normaliseTarget(request.target, system, warnings);
	if (typeof target !== "string") return target;
	if (requestedSource === null || requestedSource === "") {
		return { source: realSource, realSource, policySource: null, target, service, argument };
	}
	const source = findRequestedSource(requestedSource, realSource, system);
	if (typeof source !== "string") return source;
	return { source, realSource, policySource: source, target, service, argument };
}

/** The intended target as the rules see it, or why there can be none (spec 5.1); also for redirects (6.3). */
export function normaliseTarget(text: string, system: SystemInfo, warnings: string[]): string | Denial {
	if (text === "") return "@default";
	const token = parseToken(text, "intended");
	if (typeof token === "string") return deny("invalid-target-token", token, { notify: false });
	if (token.kind === "dispvm-of") {
		if (system.find(token.value)?.isDisposableTemplate() === true) return text;
		return deny("not-a-dispvm-template", `"${token.value}" is not a template for disposables`);
	}
	if (token.kind !== "name" || system.find(text) !== null) return text;
	warnings.push(`target "${text}" does not exist, using @default instead`);
	return "@default";
}

/** The name of the RemoteVM that may call through this relay, or why it may not (spec 6.7). */
function findRequestedSource(requested: string, relay: string, system: SystemInfo): string | Denial {
	const qube = system.find(requested);
	if (qube === null) return deny("request-error", `unknown requested source qube "${requested}"`);
	if (qube.type() !== "RemoteVM") {
		return deny("request-error", `${requested}: requested source is only authorized for RemoteVM`);
	}
	if (qube.relayvm() !== relay) return deny("request-error", `${relay} is not a relay for ${requested}`);
	return qube.name;
}

/** `@dispvm:NAME` without its prefix; other targets as they are. */
export function baseName(target: string): string {
	return afterPrefix(target, DISPVM_PREFIX) ?? target;
}
