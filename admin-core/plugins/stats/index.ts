import type { EventSink, Filter, PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import type { App } from "../../model/app.ts";
import type { Usage } from "../../model/hypervisor.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** The longest that a timer of Node can wait, in milliseconds; told to wait longer, it does not wait at all. */
const LONGEST = 2 ** 31 - 1;
/** In a millisecond, in which the stream tells the time that is kept in nanoseconds. */
const NANOSECONDS = 1_000_000;

/** What qubes use, told at once and then every `stats_interval` seconds (spec 8.1): at dom0 of all that are not halted, elsewhere of that qube. */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.Stats": ({ app, destination, permit }) => {
		const sees = permit();
		const qubes = destination.klass === "AdminVM" ? () => app.qubes() : () => [destination];
		return (stream) => repeat(app, stream, () => tell(app, stream, qubes(), sees));
	},
};

function tell(app: App, stream: EventSink, qubes: readonly Qube[], sees: Filter): void {
	for (const qube of qubes) {
		if (app.find(qube.name) !== qube) stream.end();
		else if (qube.powerState !== "Halted") tellOf(qube, stream, sees);
	}
}

function tellOf(qube: Qube, stream: EventSink, sees: Filter): void {
	const figures = figuresOf(qube.app.surroundings.hypervisor.usage(qube));
	if (sees([qube, "vm-stats", figures])) stream.send(qube.name, "vm-stats", figures);
}

/** Without swap or memory that only the qube itself could tell of. */
function figuresOf({ memory, cpuTime, cpuUsage, onlineVcpus }: Usage) {
	return {
		memory_kb: memory,
		memory_assigned_total: memory,
		memory_assigned_usable: memory,
		memory_with_swap_used: memory,
		cpu_time: Math.floor(cpuTime / NANOSECONDS),
		cpu_usage: cpuUsage,
		online_vcpus: onlineVcpus,
	};
}

/** Works until the client is gone, or until the work fails; the interval may change meanwhile. */
function repeat(app: App, stream: EventSink, work: () => void): void {
	let timer: NodeJS.Timeout | undefined;
	const next = (): void => {
		try {
			work();
			timer = setTimeout(next, Math.min(Number(app.get("stats_interval")) * 1000, LONGEST)).unref();
		} catch (error) {
			log("error", `admin.vm.Stats ends: ${String(error)}`);
			stream.end();
		}
	};
	next();
	stream.onClose(() => clearTimeout(timer));
}
