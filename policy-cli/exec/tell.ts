import type { Request } from "../core/call.ts";
import { escapeControls } from "../core/errors.ts";
import type { Denial } from "../core/resolution.ts";
import type { Host } from "../host/host.ts";
import { AgentError, notifyAgent } from "./agent.ts";
import type { Decision } from "./decide.ts";
import { ERROR, INFO, log, WARNING } from "./log.ts";
import type { Options } from "./options.ts";
import type { Outcome } from "./settle.ts";

/** Tells of one call: the system log, and the user. Nothing that goes wrong with it changes the answer. */
export class Teller {
	private readonly host: Host;
	private readonly options: Options;
	private readonly request: Request;
	/** `SERVICE: SOURCE -> TARGET` as received: how each line about this call starts. */
	private readonly title: string;

	/** `service` is the service with its argument, as received. */
	constructor(host: Host, options: Options, request: Request, service: string) {
		this.host = host;
		this.options = options;
		this.request = request;
		this.title = `${service}: ${request.source} -> ${request.target}`;
	}

	/** Logs a line about the call (spec 7). */
	log(priority: string, text: string): void {
		log(this.host, this.options.logSocket, priority, `qrexec: ${this.title}: ${text}`);
	}

	/** What a run that is cut off logs, in front of the reason. */
	lastWords(): string {
		return ERROR + escapeControls(`qrexec: ${this.title}: denied: `);
	}

	/** Without the daemon nobody tells us for which RemoteVM a relay calls (Q12). */
	warnRelay({ system }: Decision): void {
		const { source, requestedSource } = this.request;
		if (requestedSource !== null || system === null || !system.isRelay(source)) return;
		this.log(WARNING, `decided as for ${source} itself, which is a relay: calls of its RemoteVMs need qrexec-policy-daemon`);
	}

	/** The one line about the decision (spec 7). */
	logOutcome({ resolution }: Outcome, { call }: Decision): void {
		if (resolution.decision === "allow" && call !== null) {
			if (this.options.justEvaluate) return;
			const { source, service, argument, target } = call;
			const text = `qrexec: ${service}${argument}: ${source} -> ${target}: allowed to ${resolution.target}`;
			log(this.host, this.options.logSocket, INFO, text);
		} else if (resolution.decision === "deny") {
			const [priority, text] = phraseDenial(resolution);
			this.log(priority, text);
		}
	}

	/** Tells the user, if there is one; that this fails changes nothing (spec 6.6, 6.8). */
	notify({ resolution }: Outcome, { call, system }: Decision): void {
		if (!resolution.notify || this.options.justEvaluate || system === null) return;
		const allowed = resolution.decision === "allow";
		const { source: realSource, service, argument, target: rawTarget } = this.request;
		const source = allowed && call !== null ? call.source : realSource;
		let guivm: string | null = null;
		try {
			guivm = system.find(source)?.guivm() ?? null;
			if (guivm === null) return;
			const target = allowed ? resolution.target : rawTarget;
			notifyAgent(this.host, this.options, guivm, { resolution: allowed ? "allow" : "deny", service, argument, source, target });
		} catch (error) {
			if (error instanceof AgentError) this.log(ERROR, `error calling qrexec-policy-agent in ${guivm}: ${error.message}`);
			else this.log(ERROR, `cannot notify the user: ${String(error)}`);
		}
	}
}

/** How a denial is logged: what is the administrator's business as an error (spec 7). */
function phraseDenial({ reason, message }: Denial): [priority: string, text: string] {
	switch (reason) {
		case "syntax-error":
		case "invalid-filename":
		case "load-error":
		case "invalid-target-token":
			return [ERROR, `error loading policy: ${message}`];
		case "system-info-error":
			return [ERROR, `error getting system info: ${message}`];
		default:
			return [INFO, `denied: ${message}`];
	}
}
