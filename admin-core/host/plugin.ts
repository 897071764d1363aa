import type { App } from "../model/app.ts";
import type { EventArgs, Handler } from "../model/events/handler-table.ts";
import type { MakeHypervisor } from "../model/hypervisor.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { MakePool } from "../model/storage/contract.ts";

/** What the module of a plugin exports: for each method and handler of its manifest one function (docs/plugins.md). */
export interface PluginModule {
	readonly methods?: { readonly [name: string]: Method };
	// biome-ignore lint/suspicious/noExplicitAny: the manifest says which class the handler is for
	readonly handlers?: { readonly [name: string]: Handler<any> };
	/** By the names of the manifest. */
	readonly storageDrivers?: { readonly [name: string]: MakePool };
	readonly hypervisors?: { readonly [name: string]: MakeHypervisor };
}

/** A method of the Admin API. Throws AdminError; what else it throws is a defect. */
export type Method = (call: Call) => Answer | Promise<Answer>;

/** What a method gives back: the content of the reply, or what is to be done with a stream of events to the client. */
export type Answer = string | ((stream: EventSink) => void);

/** A client that is told of events (spec 7.5); nothing here throws. */
export interface EventSink {
	/** `subject` is the name of a qube, empty for the app; the arguments go in their order. */
	readonly send: (subject: string, event: string, args: EventArgs) => void;
	/** Calls back once when the client is gone. */
	readonly onClose: (listener: () => void) => void;
	/** Ends the stream when all that was sent is written: nothing will follow. */
	readonly end: () => void;
}

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
	/**
	 * Saves what was changed so far, for a method that goes on with what cannot be taken back; the manifest says no `save` then. Throws an AdminError
	 * where that fails, and then all is as it was before the call.
	 */
	readonly save: () => Promise<void>;
}

/** Whether handlers of the permission let an item of a list be seen. */
export type Filter = (item: unknown) => boolean;
