import type { Qubesd } from "./client.ts";
import type { Setting } from "./command.ts";
import type { Show } from "./progress.ts";
import type { Volume } from "./volumes.ts";

/** Lets a volume take over the content of another one (spec 11), showing how far it is: as a bar where the daemon tells that it copies data. */
export async function cloneVolume({ qubesd, progress }: Setting, what: string, from: Volume, to: Volume): Promise<void> {
	const token = await qubesd.call(from.qube, "admin.vm.volume.CloneFrom", from.volume);
	await progress.during(
		what,
		() => qubesd.call(to.qube, "admin.vm.volume.CloneTo", to.volume, token),
		(show) => followCopy(qubesd, to, show),
	);
}

/** Until what it gives back is called: shows what `domain-volume-copy-progress` says of a volume (docs/events.md). */
function followCopy(qubesd: Qubesd, { qube, volume }: Volume, show: Show): () => void {
	return qubesd.listen(qube, ({ name, args }) => {
		if (name !== "domain-volume-copy-progress" || args.get("volume") !== volume) return;
		const [done, size] = [Number(args.get("done")), Number(args.get("size"))];
		if (size > 0 && done >= 0 && done <= size) show(done, size);
	});
}
