import { baseName, type Call } from "./call.ts";
import { hasControl } from "./charset.ts";
import { DataError } from "./errors.ts";
import { DISPVM_PREFIX, isDom0 } from "./names.ts";
import { type Allowance, type Denial, deny } from "./resolution.ts";
import type { Qube, SystemInfo } from "./system-info.ts";

/** What qrexec is told when a call is denied. */
export const DENY_TEXT = "result=deny";

/** qrexec-daemon reads no more than this of an answer, in bytes with the line end (spec 8.6). */
const MAX_ANSWER_BYTES = 4095;

/** An allowed connection, as qrexec is told of it. */
export interface Connection {
	/** The qube that the call goes to: a name, `uuid:UUID` or `@dispvm:NAME`; the relay where the target is a RemoteVM. */
	readonly target: string;
	/** The same by uuid, `uuid:UUID` or `@dispvm:uuid:UUID`; null for dom0. */
	readonly targetUuid: string | null;
	/** As whom the service runs there; null is the default user. */
	readonly user: string | null;
	readonly autostart: boolean;
	/** `SERVICE+ARGUMENT` to be called instead, at a relay; null is the one that was asked for. */
	readonly service: string | null;
	/** The exact text for qrexec, without a line end. */
	readonly text: string;
}

/**
 * The last checks of an allowed call, and the text that qrexec gets (spec 6.6 with Q9, Q10, Q11).
 * Warnings are added to the list. Throws DataError.
 */
export function checkConnection(allowed: Allowance, call: Call, system: SystemInfo, warnings: string[]): Connection | Denial {
	if (isLoopback(allowed.target, call, system)) {
		return deny("loopback", "loopback qrexec connection not supported", { rule: allowed.rule });
	}
	const route = findRoute(allowed, call, system, warnings);
	if ("decision" in route) return route;
	const lines = [`user=${route.user ?? "DEFAULT"}`, "result=allow", `target=${route.target}`];
	if (route.targetUuid !== null) lines.push(`target_uuid=${route.targetUuid}`);
	lines.push(`autostart=${route.autostart ? "True" : "False"}`, `requested_target=${call.target}`);
	if (route.service !== null) lines.push(`service=${route.service}`);
	if (call.policySource !== null) lines.push(`policy_source=${call.policySource}`);
	// A line break in a name would be a line of its own to qrexec.
	if (hasControl(lines.join(" "))) throw new DataError(`control character in "${lines.find(hasControl)}"`);
	return { ...route, text: lines.join("\n") };
}

/** Why qrexec could not read this connection's text, or would read something else than was decided; null if neither (spec 8.6). */
export function refuseText({ text }: Connection, { rule }: Allowance): Denial | null {
	if (utf8Length(text) + 1 > MAX_ANSWER_BYTES) {
		return deny("unfit-answer", `the answer is longer than the ${MAX_ANSWER_BYTES} bytes that qrexec reads`, { rule });
	}
	if (text.indexOf(" ") < 0) return null;
	// qrexec makes a command of it, whose words are told by blanks.
	return deny("unfit-answer", "a blank in the answer would begin another word to qrexec", { rule });
}

type Route = Omit<Connection, "text">;

/** Where the connection really goes: to the target, or to the relay of a RemoteVM. */
function findRoute(allowed: Allowance, call: Call, system: SystemInfo, warnings: string[]): Route | Denial {
	const { rule, target, user, autostart } = allowed;
	if (isDom0(target)) return { target: "dom0", targetUuid: null, user, autostart, service: null };
	const qube = findOrFail(baseName(target), system);
	if (target.startsWith(DISPVM_PREFIX)) {
		return { target, targetUuid: `${DISPVM_PREFIX}uuid:${qube.uuid()}`, user, autostart, service: null };
	}
	if (qube.type() !== "RemoteVM") {
		return { target, targetUuid: `uuid:${qube.uuid()}`, user, autostart, service: null };
	}
	const relay = qube.relayvm();
	if (relay === null) return deny("relay-not-set", `${qube.name}: relayvm is not set`, { rule });
	const transport = qube.transportRpc();
	if (transport === null) return deny("transport-not-set", `${qube.name}: transport RPC is not set`, { rule });
	if (user !== null) warnings.push(`user=${user} is ignored: ${qube.name} is a RemoteVM`);
	const service = `${transport}+${qube.name}+${call.service}${call.argument}`;
	const targetUuid = `uuid:${findOrFail(relay, system).uuid()}`;
	return { target: relay, targetUuid, user: null, autostart, service };
}

/** Whether a qube would be connected to itself, directly or through its relay (Q9); never so for a new disposable. */
function isLoopback(target: string, call: Call, system: SystemInfo): boolean {
	if (target.startsWith(DISPVM_PREFIX)) return false;
	if (isCaller(target, call, system)) return true;
	// dom0 has no relay, and nothing that it lacks matters.
	const qube = isDom0(target) ? null : system.find(target);
	const relay = qube?.type() === "RemoteVM" ? qube.relayvm() : null;
	return relay !== null && isCaller(relay, call, system);
}

function isCaller(end: string, { source, realSource }: Call, system: SystemInfo): boolean {
	return isSameQube(end, source, system) || isSameQube(end, realSource, system);
}

function isSameQube(a: string, b: string, system: SystemInfo): boolean {
	if (a === b || (isDom0(a) && isDom0(b))) return true;
	const qube = system.find(a);
	return qube !== null && qube === system.find(b);
}

function findOrFail(name: string, system: SystemInfo): Qube {
	const qube = system.find(name);
	if (qube === null) throw new DataError(`the system information has no qube "${name}"`);
	return qube;
}

function utf8Length(text: string): number {
	let bytes = text.length;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code >= 0x80) bytes++;
		// Each half of a surrogate pair is one of two units that make four bytes.
		if (code >= 0x800 && (code < 0xd800 || code > 0xdfff)) bytes++;
	}
	return bytes;
}
