import type { Connection } from "../core/answer.ts";
import { BaseError } from "../core/base-error.ts";
import { findOutside, isRpcCode, isServiceCode } from "../core/charset.ts";
import { afterPrefix, DISPVM_PREFIX, UUID_PREFIX } from "../core/names.ts";
import type { Host } from "../host/host.ts";
import type { Options } from "./options.ts";
import { finishQubesdCall, startQubesdCall } from "./qubesd.ts";

/** How long a qube may take to start, in seconds: the default `qrexec_timeout` of a qube is 60. */
const START_SECONDS = 120;

/** The five-argument form: who wants to be connected (spec 7). */
export interface Caller {
	readonly domainId: string;
	readonly source: string;
	/** `SERVICE[+ARGUMENT]` as it came. */
	readonly service: string;
	readonly processIdent: string;
}

/** A service could not be started for an allowed call. */
export class StartError extends BaseError {}

/** Starts the target of an allowed call if need be and returns the qrexec-client command that connects it (spec 7, Q14). Throws StartError. */
export function prepareService(
	host: Host,
	options: Options,
	connection: Connection,
	requestedTarget: string,
	policySource: string | null,
	caller: Caller,
): string[] {
	// It becomes a word of a command, and what follows it says who calls.
	if (findOutside(caller.service, isRpcCode) >= 0) throw new StartError(`"${caller.service}" is no name of a service`);
	const client = options.qrexecClient ?? "/usr/lib/qubes/qrexec-client";
	const source = policySource ?? caller.source;
	const command = `QUBESRPC ${connection.service ?? caller.service} ${source}`;
	const from = ["-c", `${caller.processIdent},${caller.source},${caller.domainId}`, "--"];
	const { target, targetUuid, user, autostart } = connection;
	if (targetUuid === null) {
		const keyword = afterPrefix(requestedTarget, "@");
		const word = keyword === null ? `name ${requestedTarget}` : `keyword ${keyword}`;
		return [client, "-Ed", "dom0", ...from, `${command} ${word}`];
	}
	const template = afterPrefix(targetUuid, DISPVM_PREFIX);
	if (template !== null) {
		const disposable = createDisposable(host, options, template, target);
		start(host, options, disposable);
		return [client, "-EWkd", disposable, ...from, `${user ?? "DEFAULT"}:${command}`];
	}
	if (autostart) start(host, options, targetUuid);
	return [client, "-Ed", targetUuid, ...from, `${user ?? "DEFAULT"}:${command}`];
}

function createDisposable(host: Host, options: Options, template: string, target: string): string {
	const call = startQubesdCall(host, options.qubesdSocket, "admin.vm.CreateDisposable", template, "uuid");
	const answer = finishQubesdCall(host, call, START_SECONDS);
	if (!answer.ok) throw new StartError(`cannot create ${target}: ${answer.message}`);
	if (!isUuidName(answer.data)) throw new StartError(`cannot create ${target}: qubesd gave no uuid for it`);
	return answer.data;
}

/** `uuid:` and 36 characters of a uuid: nothing else may become a word of a command. */
function isUuidName(text: string): boolean {
	const uuid = afterPrefix(text, UUID_PREFIX);
	return uuid !== null && uuid.length === 36 && findOutside(uuid, isServiceCode) < 0;
}

function start(host: Host, options: Options, qube: string): void {
	const call = startQubesdCall(host, options.qubesdSocket, "admin.vm.Start", qube);
	const answer = finishQubesdCall(host, call, START_SECONDS);
	// A qube that is running already is what we want.
	if (!answer.ok && answer.type !== "QubesVMNotHaltedError") {
		throw new StartError(`cannot start ${qube}: ${answer.message}`);
	}
}
