import { randomUUID } from "node:crypto";
import "../model/declarations.ts";
import { log } from "../log.ts";
import { App } from "../model/app.ts";
import { AdminError, isAdminError } from "../model/errors.ts";
import type { PropertyHolder } from "../model/properties/holder.ts";
import type { QubeClassName } from "../model/qubes/name.ts";
import { QUBE_CLASSES, type Qube } from "../model/qubes/qube.ts";
import { type DomainData, nameOf, type Pair, type StoreData } from "../store/data.ts";

/** The app that a store describes, and what of the store the model has no part in, to be written back as it was. */
export interface Loaded {
	readonly app: App;
	/** Global properties that no plugin declares. */
	readonly unknownProperties: readonly Pair[];
	readonly pools: StoreData["pools"];
	/** Devices and volumes of each qube, by its number. */
	readonly parts: ReadonlyMap<number, Pick<DomainData, "devices" | "volumes">>;
}

/** How properties were called before, and what they are now (spec 5.4). */
const RENAMED: { readonly [old: string]: (value: string) => Pair } = {
	hvm: (value) => ["virt_mode", value === "True" ? "hvm" : "pv"],
	dispvm_allowed: (value) => ["template_for_dispvms", value],
};

/**
 * Makes the app of a store, in the order of spec 5.4: labels, qubes with their own properties, global ones, relations, features, tags; then events go on and
 * each qube is told that it was loaded. Throws AdminError for what would not be safe to leave out.
 */
export function loadApp(data: StoreData, kernelsDir?: string): Loaded {
	const app = new App(data.labels, kernelsDir);
	const loading = data.domains.map((domain) => new LoadingQube(app, domain));
	for (const one of loading) one.addToApp();
	if (app.find("dom0") === null) addDom0(app);
	const unknownProperties = loadGlobalProperties(app, data.properties);
	for (const one of loading) one.loadRelations();
	app.eventsEnabled = true;
	for (const qube of app.qubes()) {
		qube.eventsEnabled = true;
		qube.fire("domain-load");
	}
	const parts = new Map(data.domains.map(({ qid, devices, volumes }) => [qid, { devices, volumes }]));
	return { app, unknownProperties, pools: data.pools, parts };
}

/** A qube on its way from the store. */
class LoadingQube {
	private readonly app: App;
	private readonly domain: DomainData;
	private readonly qube: Qube;
	private readonly properties: readonly Pair[];

	constructor(app: App, domain: DomainData) {
		this.app = app;
		this.domain = domain;
		const Class = QUBE_CLASSES[domain.class as QubeClassName];
		if (Class === undefined) {
			throw new AdminError("QubesException", `${this.title()}: no such VM class: '${domain.class}'`);
		}
		this.qube = new Class(app);
		this.properties = domain.properties.map(([name, text]) => RENAMED[name]?.(text) ?? [name, text]);
	}

	/** The properties of its own, which tell who it is. */
	addToApp(): void {
		for (const [name, text] of this.properties) {
			if (!this.qube.hasProperty(name)) {
				throw new AdminError("QubesException", `${this.title()}: there is no property '${name}' of class ${this.qube.klass}`);
			}
			if (this.qube.property(name).stage === 2) this.load(name, text);
		}
		if (this.qube.uuid === "") this.qube.set("uuid", randomUUID());
		this.app.add(this.qube);
	}

	/** What names other qubes, which all are there now; features and tags. */
	loadRelations(): void {
		for (const [name, text] of this.properties) {
			if (this.qube.property(name).stage !== 2) this.load(name, text);
		}
		this.qube.features.update(this.domain.features);
		this.qube.tags.update(this.domain.tags);
	}

	private load(name: string, text: string): void {
		// dom0 is called so always, whatever is written.
		if (this.qube.property(name).isComputed) return;
		loadProperty(this.qube, name, text, this.title());
	}

	private title(): string {
		return `qube ${nameOf(this.domain) ?? this.domain.qid}`;
	}
}

function loadProperty(holder: PropertyHolder, name: string, text: string, title: string): void {
	const { type } = holder.property(name);
	// None is written as nothing; a number that is none is not set.
	if (type === "int" && text === "") return;
	try {
		holder.set(name, text);
	} catch (error) {
		if (!isAdminError(error)) throw error;
		throw new AdminError(error.kind, `${title}: property '${name}': ${error.message}`);
	}
}

function loadGlobalProperties(app: App, properties: readonly Pair[]): Pair[] {
	const unknown: Pair[] = [];
	for (const [name, text] of properties) {
		if (app.hasProperty(name)) {
			loadProperty(app, name, text, "global");
			continue;
		}
		log("warning", `unknown global property '${name}' is kept as it is`);
		unknown.push([name, text]);
	}
	return unknown;
}

function addDom0(app: App): void {
	const dom0 = new QUBE_CLASSES.AdminVM(app);
	if (app.labels.list().some(({ name }) => name === "black")) dom0.set("label", "black");
	app.add(dom0);
}
