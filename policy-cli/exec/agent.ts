import { BaseError } from "../core/base-error.ts";
import type { Call } from "../core/call.ts";
import { hex } from "../core/errors.ts";
import { describeFileError, isFileError } from "../core/files.ts";
import { DISPVM_PREFIX } from "../core/names.ts";
import type { Question } from "../core/resolution.ts";
import type { SystemInfo } from "../core/system-info.ts";
import type { Host } from "../host/host.ts";
import type { Options } from "./options.ts";

/** An answer is `deny` or `allow:NAME`, in bytes. */
const MAX_REPLY_BYTES = 4096;

/** The agent could not be asked or told. */
export class AgentError extends BaseError {}

/** Asks the user which target a call may go to (spec 9.2). Returns the reply as it came. Throws AgentError, DataError. */
export function askAgent(
	host: Host,
	options: Options,
	guivm: string,
	question: Question,
	call: Call,
	system: SystemInfo,
): string {
	const icons: { [name: string]: string } = {};
	for (const qube of system.qubes()) {
		icons[qube.name] = qube.icon();
		if (qube.isDisposableTemplate()) icons[DISPVM_PREFIX + qube.name] = qube.icon().split("app").join("disp");
	}
	const { source, service, argument } = call;
	const { targets, defaultTarget } = question;
	const payload = { source, service, argument, targets, default_target: defaultTarget ?? "", icons };
	return callAgent(host, options, guivm, "policy.Ask", payload, 0);
}

/** What the user is told (spec 9.3). */
export interface Notification {
	readonly resolution: "allow" | "deny";
	readonly service: string;
	readonly argument: string;
	readonly source: string;
	readonly target: string;
}

/** Tells the user of a decision; waits no longer than the time limit (spec 9.3, Q35). Throws AgentError. */
export function notifyAgent(host: Host, options: Options, guivm: string, notification: Notification): void {
	callAgent(host, options, guivm, "policy.Notify", notification, options.timeoutSeconds);
}

/** Calls a service of the agent, in this qube over its socket, in another one by qrexec (spec 9.1). `seconds` 0: no limit. */
function callAgent(host: Host, options: Options, guivm: string, service: string, payload: object, seconds: number): string {
	const json = toAscii(JSON.stringify(payload));
	try {
		if (guivm !== "dom0") return callByQrexec(host, options, guivm, service, json, seconds);
		const call = host.startCall(`${options.rpcDir}/${service}`, `${service} dom0 name dom0\0${json}`);
		return host.finishCall(call, seconds, MAX_REPLY_BYTES);
	} catch (error) {
		if (isFileError(error)) throw new AgentError(describeFileError(error));
		throw error;
	}
}

function callByQrexec(host: Host, options: Options, guivm: string, service: string, json: string, seconds: number): string {
	const { status, output } = runClient(host, options, guivm, service, json, seconds);
	if (status !== 0) throw new AgentError(`qrexec to ${guivm} ended with status ${status}`);
	return output;
}

function runClient(host: Host, options: Options, guivm: string, service: string, json: string, seconds: number) {
	const inDom0 = [options.qrexecClient ?? "/usr/bin/qrexec-client", "-d", guivm, `DEFAULT:QUBESRPC ${service} dom0`];
	try {
		return host.run(inDom0, json, seconds);
	} catch (error) {
		if (options.qrexecClient !== null || !isFileError(error) || error.code !== "ENOENT") throw error;
		return host.run(["/usr/bin/qrexec-client-vm", "--", guivm, service], json, seconds);
	}
}

/** JSON with all other characters than ASCII escaped, which the agent wants. */
function toAscii(json: string): string {
	let out = "";
	for (let i = 0; i < json.length; i++) {
		const code = json.charCodeAt(i);
		out += code < 0x7f ? json.charAt(i) : `\\u${hex(code, 4)}`;
	}
	return out;
}
