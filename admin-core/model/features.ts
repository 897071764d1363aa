import { AdminError } from "./errors.ts";
import type { Emitter } from "./events/emitter.ts";

/** The qube that features belong to, as far as they look at it. */
export interface FeatureSubject extends Emitter {
	readonly name: string;
	readonly features: Features;
	/** The qube that a property names; null where there is no such property, or it cannot be read, or it is none. */
	related(property: "template" | "netvm"): FeatureSubject | null;
	/** dom0. Throws an AdminError if there is none. */
	adminvm(): FeatureSubject;
}

/** Where else a look-up looks. */
interface Search {
	/** Followed from qube to qube to the end. */
	readonly follow?: "template" | "netvm";
	/** Whether dom0 is the last resort; only dom0 itself, nothing that it would lead to. */
	readonly adminvm?: boolean;
}

/**
 * The features of one qube: an ordered map from name to text (spec 2). A feature that is absent is unset, the empty text is false, every other text
 * is true. All changes fire events on the subject; while its events are off, which is so while the store is read, they are silent.
 */
export class Features {
	readonly subject: FeatureSubject;
	private readonly values = new Map<string, string>();

	constructor(subject: FeatureSubject) {
		this.subject = subject;
	}

	/** The value of a feature, undefined if it is unset. */
	get(name: string): string | undefined {
		return this.values.get(name);
	}

	has(name: string): boolean {
		return this.values.has(name);
	}

	/** Names and values, those that were set first come first. */
	entries(): [name: string, value: string][] {
		return [...this.values];
	}

	/**
	 * Sets a feature (spec 2.1). null and false become the empty text, true `1`, everything else its text, so that the number 0 is true.
	 * What a handler of `domain-feature-pre-set:*` throws prevents it; what one of `domain-feature-set:*` throws undoes it (spec 12, 12).
	 */
	set(name: string, value: unknown): void {
		const text = coerce(value);
		const old = this.values.get(name);
		const args = { feature: name, value: text, ...(old === undefined ? {} : { oldvalue: old }) };
		this.subject.fire(`domain-feature-pre-set:${name}`, args, { pre: true });
		this.values.set(name, text);
		try {
			this.subject.fire(`domain-feature-set:${name}`, args);
		} catch (error) {
			if (old === undefined) this.values.delete(name);
			else this.values.set(name, old);
			throw error;
		}
	}

	/**
	 * Removes a feature (spec 2.1, 12.13). Throws a QubesFeatureNotFoundError where it is unset, before anybody is told.
	 * What a handler of `domain-feature-pre-delete:*` throws prevents it, what one of `domain-feature-delete:*` throws undoes it.
	 */
	delete(name: string): void {
		if (!this.values.has(name)) throw this.notFound(name);
		this.subject.fire(`domain-feature-pre-delete:${name}`, { feature: name }, { pre: true });
		const before = this.entries();
		this.values.delete(name);
		try {
			this.subject.fire(`domain-feature-delete:${name}`, { feature: name });
		} catch (error) {
			// In its old place: order is what lists show.
			this.values.clear();
			for (const [other, value] of before) this.values.set(other, value);
			throw error;
		}
	}

	/** Removes all features, one by one. */
	clear(): void {
		for (const name of [...this.values.keys()]) this.delete(name);
	}

	/** Sets features one by one. */
	update(features: Iterable<readonly [name: string, value: unknown]>): void {
		for (const [name, value] of features) this.set(name, value);
	}

	/** Makes these the features, in this order, without asking anybody; what is given back tells of it, for when all else is as it was too. */
	rollBack(features: readonly (readonly [name: string, value: string])[]): (() => void)[] {
		const before = new Map(this.values);
		this.values.clear();
		for (const [name, value] of features) this.values.set(name, value);
		const gone = [...before.keys()].filter((feature) => !this.values.has(feature));
		const back = [...this.values].filter(([feature, value]) => before.get(feature) !== value);
		return [
			...gone.map((feature) => () => void this.subject.fire(`domain-feature-delete:${feature}`, { feature })),
			...back.map(([feature, value]) => {
				const oldvalue = before.get(feature);
				const args = { feature, value, ...(oldvalue === undefined ? {} : { oldvalue }) };
				return () => void this.subject.fire(`domain-feature-set:${feature}`, args);
			}),
		];
	}

	/** Not to be had, nor are the two below: it would be unclear which events they fire (spec 2.1). */
	pop(): never {
		throw notImplemented("pop");
	}

	popItem(): never {
		throw notImplemented("popItem");
	}

	setDefault(): never {
		throw notImplemented("setDefault");
	}

	/**
	 * The value of a feature here, or at the template, its template and so on (spec 2.2).
	 * Here as in the look-ups below: the empty text counts as found; where nothing is found `fallback` is the answer, or
	 * without one a QubesFeatureNotFoundError is thrown.
	 */
	checkWithTemplate(name: string, fallback?: string): string {
		return this.search(name, { follow: "template" }, fallback);
	}

	/** The value of a feature here, or at the net qube and its net qube, defaults included (spec 2.2). */
	checkWithNetvm(name: string, fallback?: string): string {
		return this.search(name, { follow: "netvm" }, fallback);
	}

	/** The value of a feature here or at dom0 (spec 2.2). */
	checkWithAdminvm(name: string, fallback?: string): string {
		return this.search(name, { adminvm: true }, fallback);
	}

	/** The value of a feature here, along the templates, or at dom0 (spec 2.2). */
	checkWithTemplateAndAdminvm(name: string, fallback?: string): string {
		return this.search(name, { follow: "template", adminvm: true }, fallback);
	}

	private search(name: string, { follow, adminvm = false }: Search, fallback: string | undefined): string {
		const seen = new Set<FeatureSubject>();
		for (let qube: FeatureSubject | null = this.subject; qube !== null && !seen.has(qube); ) {
			seen.add(qube);
			const value = qube.features.get(name);
			if (value !== undefined) return value;
			qube = follow === undefined ? null : qube.related(follow);
		}
		const value = (adminvm ? this.subject.adminvm().features.get(name) : undefined) ?? fallback;
		if (value === undefined) throw this.notFound(name);
		return value;
	}

	private notFound(name: string): AdminError {
		return new AdminError("QubesFeatureNotFoundError", `Feature not set for domain ${this.subject.name}: ${name}`);
	}
}

/** Why a client could not set a feature so (spec 2.3), null where it could. */
export function featureProblem(name: string, value: string): string | null {
	if (!/^[a-zA-Z0-9_.-]+$/.test(name)) return "feature name: want a-z A-Z 0-9 _ . -";
	return /[^ -~]/.test(value) ? "feature value: want printable ASCII characters" : null;
}

function coerce(value: unknown): string {
	if (value === null || value === undefined || value === false) return "";
	return value === true ? "1" : String(value);
}

function notImplemented(method: string): AdminError {
	return new AdminError("QubesNotImplementedError", `features have no ${method}: use set and delete`);
}
