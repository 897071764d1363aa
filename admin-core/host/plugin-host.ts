import { createRequire } from "node:module";
import { log } from "../log.ts";
import { App } from "../model/app.ts";
import { AdminError } from "../model/errors.ts";
import { type Emitter, offClass, onClass } from "../model/events/emitter.ts";
import type { EventArgs, Handler } from "../model/events/handler-table.ts";
import type { MakeHypervisor } from "../model/hypervisor.ts";
import { AdminVM, AppVM, DispVM, FullQube, LocalQube, Qube, RemoteVM, StandaloneVM, TemplateVM } from "../model/qubes/qube.ts";
import type { DriverSource, MakePool } from "../model/storage/contract.ts";
import type { HandlerShape, Manifest, MethodShape } from "./manifest.ts";
import type { Method, PluginModule } from "./plugin.ts";

/** What the `on` of a manifest may name. */
const TARGETS: { readonly [name: string]: abstract new (...args: never[]) => Emitter } = {
	...{ App, Qube, LocalQube, FullQube, AdminVM, TemplateVM, AppVM, StandaloneVM, DispVM, RemoteVM },
};

/** Stands in the name of a method for any class of devices. */
const DEVICE_CLASS = "{deviceClass}";

/** How the host was asked to tell what it does. */
export interface HostOptions {
	/** Told of each plugin that is loaded: which, why, and how long it took (`--trace-plugins`). */
	readonly trace?: (line: string) => void;
}

/** A method of the Admin API, whose code is not loaded before it is called. */
export interface HostedMethod {
	readonly shape: MethodShape;
	readonly load: () => Method;
}

/**
 * Knows all plugins by their manifests, and loads the code of one when it is first needed: for a method that is called, or for an event that its
 * patterns match and that is delivered (spec 6.2). The places of its handlers come from the manifests, so when it is loaded changes nothing
 * of the order of dispatch.
 */
export class PluginHost {
	private readonly trace: (line: string) => void;
	private readonly plugins: Plugin[];
	private readonly methods = new Map<string, HostedMethod>();
	private readonly driverPlugins = new Map<string, Plugin>();
	private readonly hypervisorPlugins = new Map<string, Plugin>();
	private readonly registered: (() => void)[] = [];

	/** A plugin that names a class which does not exist is left out. Throws an Error where two plugins serve the same method, driver, hypervisor or class of devices. */
	constructor(manifests: readonly Manifest[], { trace = () => undefined }: HostOptions = {}) {
		this.trace = trace;
		this.plugins = manifests.filter(hasKnownClasses).map((manifest) => new Plugin(manifest, this.trace));
		for (const plugin of this.plugins) {
			for (const shape of plugin.manifest.methods) this.addMethods(plugin, shape);
			for (const shape of plugin.manifest.handlers) this.addHandler(plugin, shape);
			for (const { name } of plugin.manifest.storageDrivers) claim(this.driverPlugins, name, plugin, plugin);
			for (const name of plugin.manifest.hypervisors) claim(this.hypervisorPlugins, name, plugin, plugin);
		}
	}

	/** The classes of devices, sorted. */
	deviceClasses(): string[] {
		const all = this.plugins.flatMap(({ manifest }) => manifest.deviceClasses).sort();
		const twice = all.find((name, index) => name === all[index + 1]);
		if (twice !== undefined) throw new Error(`two plugins serve devices of class ${twice}: remove one`);
		return all;
	}

	/** The storage drivers, sorted by name. */
	readonly drivers: DriverSource = {
		list: () =>
			[...this.driverPlugins]
				.sort(([a], [b]) => (a < b ? -1 : 1))
				.flatMap(([name, { manifest }]) => manifest.storageDrivers.filter((driver) => driver.name === name)),
		load: (name) => this.driverPlugins.get(name)?.driver(name) ?? null,
	};

	/** Loads what boots qubes. Throws an AdminError where there is none of this name, or its plugin cannot be loaded. */
	hypervisor(name: string): MakeHypervisor {
		const plugin = this.hypervisorPlugins.get(name);
		if (plugin !== undefined) return plugin.hypervisor(name);
		const names = ["none", ...this.hypervisorPlugins.keys()].sort();
		throw new AdminError("QubesException", `there is no hypervisor '${name}': want one of ${names.join(", ")}`);
	}

	/** The method of a name, null if no plugin has it. */
	method(name: string): HostedMethod | null {
		return this.methods.get(name) ?? null;
	}

	/** The names of all methods, sorted. */
	methodNames(): string[] {
		return [...this.methods.keys()].sort();
	}

	/** Takes the handlers of all plugins out again. */
	close(): void {
		for (const unregister of this.registered.splice(0)) unregister();
	}

	/** A method for each class of devices has `{deviceClass}` in its name, and its module serves it by that name. */
	private addMethods(plugin: Plugin, shape: MethodShape): void {
		const names = shape.name.includes(DEVICE_CLASS)
			? this.deviceClasses().map((one) => shape.name.replace(DEVICE_CLASS, one))
			: [shape.name];
		for (const name of names) claim(this.methods, name, { shape, load: () => plugin.method(shape.name) }, plugin);
	}

	private addHandler(plugin: Plugin, shape: HandlerShape): void {
		const target = TARGETS[shape.on];
		for (const pattern of shape.patterns) {
			const stub: Handler<Emitter> = (subject, event, args) => plugin.handle(shape, subject, event, args);
			onClass(target as new () => Emitter, pattern, stub, { async: shape.async });
			this.registered.push(() => offClass(target as new () => Emitter, pattern, stub));
		}
	}
}

/** One plugin serves each name. */
function claim<T>(served: Map<string, T>, name: string, value: T, { manifest }: Plugin): void {
	if (served.has(name)) throw new Error(`two plugins serve ${name}: remove one; the second is ${manifest.name}`);
	served.set(name, value);
}

function hasKnownClasses({ name, handlers }: Manifest): boolean {
	const unknown = handlers.find(({ on }) => !Object.hasOwn(TARGETS, on));
	if (unknown === undefined) return true;
	log("error", `plugin ${name} is left out: no class "${unknown.on}": want one of ${Object.keys(TARGETS).join(", ")}`);
	return false;
}

/** One plugin: its manifest, and its module once it has been needed. */
class Plugin {
	readonly manifest: Manifest;
	private readonly trace: (line: string) => void;
	private module: PluginModule | null = null;
	/** Why it cannot be loaded; it is tried once. */
	private failure: string | null = null;

	constructor(manifest: Manifest, trace: (line: string) => void) {
		this.manifest = manifest;
		this.trace = trace;
	}

	method(name: string): Method {
		return this.part(name, (module) => module.methods?.[name]);
	}

	driver(name: string): MakePool {
		return this.part(`storage driver ${name}`, (module) => module.storageDrivers?.[name]);
	}

	hypervisor(name: string): MakeHypervisor {
		return this.part(`hypervisor ${name}`, (module) => module.hypervisors?.[name]);
	}

	/** Throws an AdminError where the plugin cannot be loaded or lacks what its manifest says. */
	private part<T>(what: string, find: (module: PluginModule) => T | undefined): T {
		const module = this.load(what);
		const part = module === null ? undefined : find(module);
		if (part !== undefined) return part;
		throw new AdminError("QubesException", `${what}: ${this.failure ?? `plugin ${this.manifest.name} does not have it`}`);
	}

	/** Spec 6.2, rule 4: a plugin that cannot be loaded denies permissions and prevents what it was to watch over; else it is left out. */
	handle(shape: HandlerShape, subject: Emitter, event: string, args: EventArgs): unknown {
		const handler = this.load(event)?.handlers?.[shape.handler];
		if (handler !== undefined) return handler(subject, event, args);
		const reason = this.failure ?? `plugin ${this.manifest.name} has no handler "${shape.handler}"`;
		if (event.startsWith("admin-permission:")) throw new AdminError("PermissionDenied", reason);
		if (event.includes("-pre-")) throw new AdminError("QubesException", `${event}: ${reason}`);
		return undefined;
	}

	/** The module, null if it cannot be loaded; synchronous, as events are (spec 6.2, rule 2). */
	private load(why: string): PluginModule | null {
		if (this.module !== null || this.failure !== null) return this.module;
		const { name, module } = this.manifest;
		const start = performance.now();
		try {
			this.module = createRequire(module)(module) as PluginModule;
		} catch (error) {
			this.failure = `plugin ${name} cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
			log("error", this.failure);
		}
		const took = (performance.now() - start).toFixed(1);
		this.trace(`plugin ${name}: ${this.module === null ? "failed" : "loaded"} for ${why}, ${took} ms`);
		return this.module;
	}
}
