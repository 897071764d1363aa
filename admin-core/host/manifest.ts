import fs from "node:fs";
import path from "node:path";
import type { DriverInfo } from "../model/storage/contract.ts";

/** What a method wants of a call, so that it can be checked without loading the plugin (spec 7.2, 8). */
export interface MethodShape {
	readonly name: string;
	/** Which qubes it may be called at. */
	readonly destination: "dom0" | "any" | "not-dom0";
	readonly argument: Presence;
	readonly payload: Presence;
	/** Whether the store is saved when it has succeeded. */
	readonly save: boolean;
}

/** Whether something must not be there, may be, or must. */
export type Presence = "none" | "optional" | "required";

/** Events that a plugin handles, on qubes of a class or on the app (spec 1.1, 6.2). */
export interface HandlerShape {
	readonly patterns: readonly string[];
	/** A class of model/qubes/qube.ts, or `App`. */
	readonly on: string;
	/** The name of the exported function that handles them. */
	readonly handler: string;
	readonly async: boolean;
}

/** A plugin as its manifest describes it; nothing of its code was run (spec 6.2). */
export interface Manifest {
	readonly name: string;
	/** Absolute path of its module. */
	readonly module: string;
	readonly methods: readonly MethodShape[];
	readonly handlers: readonly HandlerShape[];
	/** Classes of devices, such as `usb`. A method with `{deviceClass}` in its name is one for each class of all plugins. */
	readonly deviceClasses: readonly string[];
	readonly storageDrivers: readonly DriverInfo[];
	/** What boots qubes, by name: `qubesd --hypervisor` chooses one. */
	readonly hypervisors: readonly string[];
}

/** The version of the interface to plugins; a manifest says which one it was written for. */
const PLUGIN_API = 1;
const FILE = "manifest.json";

/** A manifest that cannot be used; the message names the file. */
export class ManifestError extends Error {}

/**
 * Reads the manifests of all plugins in a directory, one folder each, sorted by name; a folder without one is none.
 * Bad manifests are given to `refuse` and left out: one plugin does not stop the others. Throws ManifestError where the directory cannot be read.
 */
export function readManifests(dir: string, refuse: (error: ManifestError) => void): Manifest[] {
	const manifests: Manifest[] = [];
	for (const name of listFolders(dir)) {
		const file = path.join(dir, name, FILE);
		if (!fs.existsSync(file)) continue;
		try {
			manifests.push(readManifest(file));
		} catch (error) {
			if (!(error instanceof ManifestError)) throw error;
			refuse(error);
		}
	}
	return manifests;
}

function listFolders(dir: string): string[] {
	try {
		const entries = fs.readdirSync(dir, { withFileTypes: true });
		return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
	} catch (error) {
		throw new ManifestError(`cannot read the plugins directory ${dir}: ${(error as Error).message}`);
	}
}

/** Reads one manifest. Throws ManifestError. */
export function readManifest(file: string): Manifest {
	let value: unknown;
	try {
		value = JSON.parse(fs.readFileSync(file, "utf8"));
	} catch (error) {
		throw new ManifestError(`${file}: ${(error as Error).message}`);
	}
	const reader = new Reader(file, "", value);
	const api = reader.get("api");
	if (api !== PLUGIN_API) throw new ManifestError(`${file}: "api" is ${JSON.stringify(api)}: want ${PLUGIN_API}`);
	return {
		name: reader.text("name"),
		module: path.resolve(path.dirname(file), reader.text("module")),
		methods: reader.list("methods").map(readMethod),
		handlers: reader.list("handlers").map(readHandler),
		deviceClasses: reader.texts("deviceClasses"),
		storageDrivers: reader.list("storageDrivers").map(readDriver),
		hypervisors: reader.texts("hypervisors"),
	};
}

function readMethod(reader: Reader): MethodShape {
	return {
		name: reader.text("name"),
		destination: reader.oneOf("destination", ["dom0", "any", "not-dom0"]),
		argument: reader.oneOf("argument", ["none", "optional", "required"]),
		payload: reader.oneOf("payload", ["none", "optional", "required"]),
		save: reader.flag("save"),
	};
}

function readHandler(reader: Reader): HandlerShape {
	const patterns = reader.texts("patterns");
	if (patterns.length === 0) throw reader.bad("patterns", "a list of texts");
	return { patterns, on: reader.text("on"), handler: reader.text("handler"), async: reader.flag("async") };
}

function readDriver(reader: Reader): DriverInfo {
	const options = reader.list("options").map((option) => ({ name: option.text("name"), isRequired: option.flag("required") }));
	return { name: reader.text("name"), options };
}

/** Reads the fields of an object in a manifest; `place` says where in it, such as `methods[2].`. */
class Reader {
	private readonly file: string;
	private readonly place: string;
	private readonly value: { readonly [field: string]: unknown };

	constructor(file: string, place: string, value: unknown) {
		if (typeof value !== "object" || value === null || Array.isArray(value)) {
			throw new ManifestError(`${file}: ${place === "" ? "the manifest" : place.slice(0, -1)}: want an object`);
		}
		this.file = file;
		this.place = place;
		this.value = value as { readonly [field: string]: unknown };
	}

	get(field: string): unknown {
		return this.value[field];
	}

	text(field: string): string {
		const value = this.value[field];
		if (typeof value !== "string" || value === "") throw this.bad(field, "a text");
		return value;
	}

	/** False if it is not there. */
	flag(field: string): boolean {
		const value = this.value[field] ?? false;
		if (typeof value !== "boolean") throw this.bad(field, "true or false");
		return value;
	}

	oneOf<T extends string>(field: string, allowed: readonly T[]): T {
		const value = allowed.find((one) => one === this.value[field]);
		if (value === undefined) throw this.bad(field, `one of ${allowed.join(", ")}`);
		return value;
	}

	/** Empty if it is not there. */
	list(field: string): Reader[] {
		const value = this.value[field] ?? [];
		if (!Array.isArray(value)) throw this.bad(field, "a list");
		return value.map((one, index) => new Reader(this.file, `${this.place}${field}[${index}].`, one));
	}

	/** Empty if it is not there. */
	texts(field: string): string[] {
		const value = this.value[field] ?? [];
		if (!Array.isArray(value) || !value.every((one) => typeof one === "string" && one !== ""))
			throw this.bad(field, "a list of texts");
		return value;
	}

	bad(field: string, wanted: string): ManifestError {
		return new ManifestError(`${this.file}: "${this.place}${field}" is ${JSON.stringify(this.value[field])}: want ${wanted}`);
	}
}
