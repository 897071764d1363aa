import type { EventSink, Filter, PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import type { App } from "../../model/app.ts";
import type { Emitter } from "../../model/events/emitter.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** What is not told: these are questions, not news (spec 7.5). */
const SILENT = ["admin-permission:", "device-get:", "device-list:", "device-list-attached:"];

/** The stream of events (spec 7.5): at dom0 those of the app and of all qubes, also of new ones; elsewhere those of that qube, until it is removed. */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.Events": ({ app, destination, permit }) => {
		const sees = permit();
		return (stream) => {
			const forwarder = new Forwarder(app, stream, sees);
			if (destination.klass === "AdminVM") forwarder.followAll();
			else forwarder.followOne(destination);
			stream.onClose(() => forwarder.stop());
		};
	},
};

/** Sends events to one client. */
class Forwarder {
	private readonly app: App;
	private readonly stream: EventSink;
	private readonly sees: Filter;
	private readonly followed = new Set<Emitter>();
	/** The qube with which the stream ends; null for a stream of all. */
	private only: Qube | null = null;

	constructor(app: App, stream: EventSink, sees: Filter) {
		this.app = app;
		this.stream = stream;
		this.sees = sees;
	}

	followAll(): void {
		this.follow(this.app);
		for (const qube of this.app.qubes()) this.follow(qube);
	}

	followOne(qube: Qube): void {
		// It may have gone while the connection was made ready.
		if (this.app.find(qube.name) !== qube) {
			this.stream.end();
			return;
		}
		this.only = qube;
		this.follow(qube);
		this.app.addHandler("domain-delete", this.endWithQube);
	}

	stop(): void {
		for (const emitter of [...this.followed]) this.leave(emitter);
		if (this.only !== null) this.app.removeHandler("domain-delete", this.endWithQube);
	}

	private follow(emitter: Emitter): void {
		this.followed.add(emitter);
		emitter.addHandler("*", this.forward);
	}

	/** Whoever fires an event has nothing to do with what a filter does (spec 7.5). */
	private isSeen(subject: Emitter, event: string, args: EventArgs): boolean {
		try {
			return this.sees([subject, event, args]);
		} catch (error) {
			log("error", `a filter of admin.Events fails, and "${event}" is not sent: ${String(error)}`);
			return false;
		}
	}

	private leave(emitter: Emitter): void {
		if (this.followed.delete(emitter)) emitter.removeHandler("*", this.forward);
	}

	private readonly endWithQube = (_app: App, _event: string, { vm }: EventArgs): void => {
		if (vm === this.only) this.stream.end();
	};

	private readonly forward = (subject: Emitter, event: string, args: EventArgs): void => {
		if (SILENT.some((start) => event.startsWith(start)) || event === "domain-is-fully-usable") return;
		if (this.isSeen(subject, event, args)) {
			this.stream.send(subject === this.app ? "" : (subject as Qube).name, event, args);
		}
		// A new qube is reported first, then what happens to it; of one that is gone nothing more.
		if (subject !== this.app) return;
		if (event === "domain-add") this.follow(args["vm"] as Qube);
		if (event === "domain-delete") this.leave(args["vm"] as Qube);
	};
}
