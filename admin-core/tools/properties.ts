import type { Qubesd } from "./client.ts";
import { UsageError, unlessRemote } from "./errors.ts";
import { type PropertyValue, parseValue, parseValues } from "./property-value.ts";

/** The properties of a qube (`admin.vm.property.*`) or of the whole system (`admin.property.*`, at dom0) (spec 8.2). */
export class Properties {
	private readonly qubesd: Qubesd;
	private readonly destination: string;
	private readonly family: string;

	constructor(qubesd: Qubesd, destination: string, family: "admin.vm.property" | "admin.property") {
		this.qubesd = qubesd;
		this.destination = destination;
		this.family = family;
	}

	/** The names, in the order of the daemon. */
	list(): Promise<string[]> {
		return this.qubesd.list(this.destination, `${this.family}.List`);
	}

	async getAll(): Promise<Map<string, PropertyValue>> {
		return parseValues(await this.qubesd.call(this.destination, `${this.family}.GetAll`));
	}

	/** Throws UsageError if there is no such property, as the methods below do. */
	async get(name: string): Promise<PropertyValue> {
		return parseValue(await this.ask("Get", name));
	}

	async set(name: string, value: string): Promise<void> {
		await this.ask("Set", name, value);
	}

	async reset(name: string): Promise<void> {
		await this.ask("Reset", name);
	}

	/** What it is about, in one line; empty where nobody said. */
	help(name: string): Promise<string> {
		return this.ask("Help", name);
	}

	private async ask(action: string, name: string, payload = ""): Promise<string> {
		if (name === "") throw new UsageError("no such property: ''");
		const call = this.qubesd.call(this.destination, `${this.family}.${action}`, name, payload);
		const reply = await unlessRemote(call, "QubesNoSuchPropertyError");
		if (reply === undefined) throw new UsageError(`no such property: '${name}'`);
		return reply;
	}
}
