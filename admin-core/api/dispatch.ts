import type { MethodShape, Presence } from "../host/manifest.ts";
import type { Answer, Call, Filter } from "../host/plugin.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { App } from "../model/app.ts";
import { AdminError } from "../model/errors.ts";
import type { Request } from "./wire.ts";

/** Answers requests: finds the qubes and the method, checks the shape, has the plugin do it, and saves. */
export class Dispatcher {
	private readonly app: App;
	private readonly host: PluginHost;
	private readonly save: () => Promise<void>;

	/** `save` writes the store; it is called after each method that has changed something. */
	constructor(app: App, host: PluginHost, save: () => Promise<void>) {
		this.app = app;
		this.host = host;
		this.save = save;
	}

	/** The answer of the method; the checks are in the order of spec 7.2. Throws AdminError; what else it throws is a defect. */
	async call(request: Request): Promise<Answer> {
		const source = this.app.qube(request.source);
		const destination = this.app.qube(request.destination);
		const method = this.host.method(request.method);
		if (method === null) throw new AdminError("ProtocolError", `no such method: '${request.method}'`);
		checkShape(method.shape, request, destination.klass === "AdminVM");
		const { app } = this;
		const { argument, payload } = request;
		const permit: Call["permit"] = (values = {}) => {
			const args = { dest: destination, arg: argument, ...values };
			return allOf(source.fire(`admin-permission:${request.method}`, args, { pre: true }));
		};
		const reply = await method.load()({ app, method: request.method, source, destination, argument, payload, permit });
		if (method.shape.save) await this.save();
		return reply;
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
