import type { App } from "../model/app.ts";
import type { Handler } from "../model/events/handler-table.ts";
import type { Qube } from "../model/qubes/qube.ts";

/** What the module of a plugin exports: for each method and handler of its manifest one function (docs/plugins.md). */
export interface PluginModule {
	readonly methods?: { readonly [name: string]: Method };
	// biome-ignore lint/suspicious/noExplicitAny: the manifest says which class the handler is for
	readonly handlers?: { readonly [name: string]: Handler<any> };
}

/** A method of the Admin API: returns the content of the reply. Throws AdminError; what else it throws is a defect. */
export type Method = (call: Call) => string | Promise<string>;

/** One call; that its parts are there or not, as the manifest says, was checked before. */
export interface Call {
	readonly app: App;
	readonly method: string;
	readonly source: Qube;
	readonly destination: Qube;
	/** Empty if there was none. */
	readonly argument: string;
	readonly payload: Buffer;
	/**
	 * Asks whether the call is permitted (spec 7.6); to be called once, when the call was understood and before it does or shows anything.
	 * `values` are what it was called with, as far as handlers may want to know. Throws PermissionDenied.
	 */
	readonly permit: (values?: { readonly [name: string]: unknown }) => Filter;
}

/** Whether handlers of the permission let an item of a list be seen. */
export type Filter = (item: unknown) => boolean;
