import "../model/declarations.ts";
import { randomUUID } from "node:crypto";
import { log } from "../log.ts";
import { App, type Surroundings } from "../model/app.ts";
import { AdminError, isAdminError } from "../model/errors.ts";
import { featureProblem } from "../model/features.ts";
import type { PropertyHolder } from "../model/properties/holder.ts";
import { isConnectedThrough } from "../model/qubes/checks.ts";
import type { QubeClassName } from "../model/qubes/name.ts";
import { QUBE_CLASSES, type Qube } from "../model/qubes/qube.ts";
import { type DomainData, nameOf, type Pair, type StoreData } from "../store/data.ts";
import { DeviceRecords } from "./device-records.ts";
import { FIREWALL_NETVM, migrateFirewallNetvm, migrateMeminfoWriter, renameProperties } from "./migrations.ts";
import { StorageRecords } from "./storage-records.ts";

/** The app that a store describes, and what of the store the model has no part in, to be written back as it was. */
export interface Loaded {
	readonly app: App;
	/** Global properties that no plugin declares. */
	readonly unknownProperties: readonly Pair[];
	readonly devices: DeviceRecords;
	readonly storage: StorageRecords;
	/** Whether something was made up that has to be saved, such as a uuid. */
	readonly isChanged: boolean;
}

/**
 * Makes the app of a store, in the order of spec 5.4: labels, qubes with their own properties, global ones, relations, features, tags; then events go on and
 * each qube is told that it was loaded. Throws AdminError for what would not be safe to leave out.
 */
export function loadApp(data: StoreData, surroundings: Partial<Surroundings> = {}): Loaded {
	const app = new App(data.labels, surroundings);
	const storage = new StorageRecords(app, data.pools);
	const devices = new DeviceRecords(app);
	const loading = data.domains.map((domain) => new LoadingQube(app, domain));
	for (const one of loading) one.addToApp();
	if (app.find("dom0") === null) addDom0(app);
	const unknownProperties = loadGlobalProperties(app, data.properties);
	for (const one of loading) one.loadRelations();
	const isMigrated = migrateFirewallNetvm(app, data.properties);
	breakLoops(app);
	for (const { qube, domain } of loading) devices.load(qube, domain.devices);
	storage.load(loading.map(({ qube, domain }) => [qube, domain.volumes]));
	warnOfMissing(app);
	startEvents(app);
	return { app, unknownProperties, devices, storage, isChanged: isMigrated || loading.some(({ isChanged }) => isChanged) };
}

/** A qube on its way from the store. */
class LoadingQube {
	readonly domain: DomainData;
	readonly qube: Qube;
	isChanged = false;
	private readonly app: App;
	private readonly properties: readonly Pair[];

	constructor(app: App, domain: DomainData) {
		this.app = app;
		this.domain = domain;
		if (!Object.hasOwn(QUBE_CLASSES, domain.class)) {
			throw new AdminError("QubesException", `${this.title()}: no such VM class: '${domain.class}'`);
		}
		this.qube = new QUBE_CLASSES[domain.class as QubeClassName](app);
		this.properties = renameProperties(domain.properties);
	}

	/** The properties of its own, which tell who it is. */
	addToApp(): void {
		for (const [name, text] of this.properties) {
			if (!this.qube.hasProperty(name)) {
				throw new AdminError("QubesException", `${this.title()}: there is no property '${name}' of class ${this.qube.klass}`);
			}
			if (this.qube.property(name).stage === 2) this.load(name, text);
		}
		if (this.qube.get("qid") === undefined) this.qube.set("qid", this.domain.qid);
		if (this.qube.qid !== this.domain.qid) {
			throw new AdminError("QubesException", `${this.title()}: its qid is ${this.qube.qid}, its id domain-${this.domain.qid}`);
		}
		if (this.qube.uuid === "") this.makeUp("uuid", randomUUID());
		this.app.add(this.qube);
	}

	/** What names other qubes, which all are there now; features and tags. */
	loadRelations(): void {
		if (this.qube.klass === "DispVM" && this.qube.get("dispid") === undefined) this.makeUp("dispid", this.app.freeDispid());
		for (const [name, text] of this.properties) {
			if (this.qube.property(name).stage !== 2) this.load(name, text);
		}
		for (const [name, value] of this.domain.features) this.loadFeature(name, value);
		this.qube.tags.update(this.domain.tags);
		if (migrateMeminfoWriter(this.qube)) this.isChanged = true;
	}

	/** A store may have what no client could set; it is kept (spec 12, 28). */
	private loadFeature(name: string, value: string): void {
		const problem = featureProblem(name, value);
		if (problem !== null) log("warning", `${this.title()}: feature '${name}': ${problem}`);
		this.qube.features.set(name, value);
	}

	private makeUp(name: string, value: string | number): void {
		this.qube.set(name, value);
		this.isChanged = true;
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
	// None is written as nothing: a number that is none is not set, yes or no is no (spec 5.4).
	if (type === "int" && text === "") return;
	try {
		holder.set(name, type === "bool" && text === "" ? false : text);
	} catch (error) {
		if (!isAdminError(error)) throw error;
		if (!canBeLeftOut(holder, name, text)) throw new AdminError(error.kind, `${title}: property '${name}': ${error.message}`);
		log("error", `${title}: property '${name}' is not kept: ${error.message}`);
	}
}

/** Whether a value that is refused does no harm when it is not there: a text that is empty, or a qube that no longer is what it is named for. */
function canBeLeftOut(holder: PropertyHolder, name: string, text: string): boolean {
	const { type } = holder.property(name);
	if (type === "str") return text === "";
	if (type !== "vm" || (holder instanceof App ? holder : (holder as Qube).app).find(text) === null) return false;
	try {
		// Not the default, which may be a net qube.
		holder.set(name, null);
		return true;
	} catch {
		return false;
	}
}

function loadGlobalProperties(app: App, properties: readonly Pair[]): Pair[] {
	const unknown: Pair[] = [];
	for (const [name, text] of properties) {
		if (name === FIREWALL_NETVM) continue;
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

/** A qube that is connected through itself is connected to nothing (spec 5.4). */
function breakLoops(app: App): void {
	for (const qube of app.qubes()) {
		const netvm = qube.related("netvm");
		if (netvm === null || !isConnectedThrough(netvm, qube)) continue;
		log("error", `qube ${qube.name}: property 'netvm' is not kept: it is connected through itself, by ${netvm.name}`);
		qube.set("netvm", null);
	}
}

/** What a system usually has (spec 5.4). */
function warnOfMissing(app: App): void {
	const usual = ["default_guivm", "default_netvm", "default_template", "clockvm", "updatevm"];
	const missing = usual.filter((name) => (app.get(name) ?? null) === null);
	if (missing.length > 0) log("warning", `the store names no ${missing.join(", ")}`);
}

/** A plugin that fails when a qube is loaded does not stop the daemon (spec 6.2). */
function startEvents(app: App): void {
	for (const qube of app.qubes()) {
		qube.eventsEnabled = true;
		try {
			qube.fire("domain-load");
		} catch (error) {
			log("error", `qube ${qube.name}: a handler of domain-load fails: ${String(error)}`);
		}
	}
	app.eventsEnabled = true;
}
