import type { MethodShape, Presence } from "../host/manifest.ts";
import type { Answer, Call, Filter } from "../host/plugin.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { log } from "../log.ts";
import type { App } from "../model/app.ts";
import { AdminError } from "../model/errors.ts";
import type { Request } from "./wire.ts";

/** What one call changes, until it is in the store. */
export interface CallChanges {
	/** Saves what was changed so far. Throws an AdminError where that fails; then nothing of it stands. */
	readonly save: () => Promise<void>;
	/** To be called when the call has ended. */
	readonly end: () => void;
}

/** Answers requests: finds the qubes and the method, checks the shape, has the plugin do it, and saves. */
export class Dispatcher {
	private readonly app: App;
	private readonly host: PluginHost;
	private readonly begin: () => CallChanges;

	/** `begin` is called before each method; what it changes is saved after it if its manifest says so. */
	constructor(app: App, host: PluginHost, begin: () => CallChanges) {
		this.app = app;
		this.host = host;
		this.begin = begin;
	}

	/**
	 * The answer of the method; the checks are in the order of spec 7.2. `isServed` says which methods there are where the call came in.
	 * Throws AdminError; what else it throws is a defect.
	 */
	async call(request: Request, isServed: (method: string) => boolean = () => true): Promise<Answer> {
		const source = this.app.qube(request.source);
		const destination = this.app.qube(request.destination);
		const method = isServed(request.method) ? this.host.method(request.method) : null;
		if (method === null) throw new AdminError("ProtocolError", `no such method: '${request.method}'`);
		checkShape(method.shape, request, destination.klass === "AdminVM");
		const { app } = this;
		const { argument, payload } = request;
		const permit: Call["permit"] = (values = {}) => {
			// One that was removed meanwhile fires no events, and so nobody would be asked.
			if (app.find(source.name) !== source) throw new AdminError("PermissionDenied", `${source.name} was removed`);
			const args = { dest: destination, arg: argument, ...values };
			return allOf(source.fire(`admin-permission:${request.method}`, args, { pre: true }));
		};
		const { save, end } = this.begin();
		try {
			const reply = await method.load()({ app, method: request.method, source, destination, argument, payload, permit, save });
			if (method.shape.save) await save();
			return reply;
		} finally {
			end();
			if (app.isUnsaved) await this.saveBeside();
		}
	}

	/** Saves what stands whatever became of the method; that this fails is not what its caller has to know. */
	private async saveBeside(): Promise<void> {
		this.app.isUnsaved = false;
		const { save, end } = this.begin();
		await save().catch((error) => log("error", String(error)));
		end();
	}
}

function checkShape(shape: MethodShape, { payload, argument }: Request, isAdminVm: boolean): void {
	checkPresence(shape.payload, payload.length > 0, "payload", "payload");
	checkPresence(shape.argument, argument !== "", "argument", "an argument");
	if (shape.destination === "dom0" && !isAdminVm) throw new AdminError("ProtocolError", "expected destination to be AdminVM");
	if (shape.destination === "not-dom0" && isAdminVm)
		throw new AdminError("ProtocolError", "expected destination to not be AdminVM");
}

function checkPresence(wanted: Presence, isThere: boolean, what: string, expected: string): void {
	if (wanted === "required" && !isThere) throw new AdminError("ProtocolError", `expected ${expected}`);
	if (wanted === "none" && isThere) throw new AdminError("ProtocolError", `unexpected ${what}`);
}

/** An item is seen if all predicates that handlers gave accept it (spec 7.6). */
function allOf(predicates: readonly unknown[]): Filter {
	return (item) => predicates.every((accepts) => (accepts as Filter)(item));
}
