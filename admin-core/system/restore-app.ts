import { log } from "../log.ts";
import type { Qube } from "../model/qubes/qube.ts";
import { clearDisk } from "../model/storage/clear-disk.ts";
import type { Loaded } from "./load-app.ts";
import type { Picture, QubePicture } from "./picture.ts";

/** Handlers of events may change things when they are told that others are as they were; then it is gone back again, this often. */
const MOST_ROUNDS = 3;

/** Tells of one thing that is as it was, by the events of an ordinary change. */
type News = () => unknown;

/**
 * Brings an app back to a picture of it, at once and without asking anybody: handlers of pre-events are not called. When all is as it was, everybody is told,
 * by the events of ordinary changes. The disk of qubes that are forgotten with it is cleared; what was done to a disk in other ways stays, as the size of
 * a volume. Resolves when all handlers have ended; what one of them throws is logged.
 */
export async function restoreApp(loaded: Loaded, picture: Picture): Promise<void> {
	const kept = new Set(picture.qubes.map(({ qube }) => qube));
	const forgotten = loaded.app.qubes().filter((qube) => !kept.has(qube));
	const underWay: Promise<void>[] = [];
	let news = goBack(loaded, picture);
	for (let round = 1; news.length > 0; round++) {
		// No word to anybody, or it would never end.
		if (round > MOST_ROUNDS) break;
		underWay.push(...news.map(tell));
		news = goBack(loaded, picture);
	}
	if (news.length > 0) log("error", "handlers of events change again and again what was taken back, as it could not be saved");
	for (const one of picture.qubes) restoreVolumes(one);
	underWay.push(...forgotten.map(forgetDisk));
	await Promise.all(underWay);
}

/** Everything that is not as it was; nothing is told yet. */
function goBack({ app, storage }: Loaded, picture: Picture): News[] {
	const back = picture.qubes.filter(({ qube }) => app.find(qube.name) !== qube);
	app.labels.rollBack(picture.labels);
	const news: News[] = [
		...app.rollBackQubes(picture.qubes.map(({ qube }) => qube)),
		...app.pools.rollBack(picture.pools),
		...app.rollBackProperties(picture.values),
		...picture.qubes.flatMap(restoreQube),
	];
	// Their pools have forgotten their volumes; those are as after a start of the daemon now.
	storage.load(back.map(({ qube, data }) => [qube, data.volumes]));
	return news;
}

function restoreQube({ qube, data, values, devices }: QubePicture): News[] {
	return [
		...qube.rollBackProperties(values),
		...qube.features.rollBack(data.features),
		...qube.tags.rollBack(data.tags),
		...devices.flatMap(({ collection, assigned, wasUsed }) => collection.rollBack(assigned, wasUsed)),
	];
}

/** What of the volumes can be set; which volumes there are has followed the template. */
function restoreVolumes({ qube, volumes }: QubePicture): void {
	for (const { name, rw, revisionsToKeep, ephemeral } of volumes) {
		const volume = qube.storage.find(name);
		if (volume === null) continue;
		try {
			if (volume.rw !== rw) volume.rw = rw;
			if (volume.revisionsToKeep !== revisionsToKeep) volume.revisionsToKeep = revisionsToKeep;
			if (volume.ephemeral !== ephemeral) volume.ephemeral = ephemeral;
		} catch (error) {
			log("error", `volume ${name} of ${qube.name} cannot be set as it was: ${String(error)}`);
		}
	}
}

/** What is synchronous in it happens at once. */
async function tell(news: News): Promise<void> {
	try {
		await news();
	} catch (error) {
		log("error", `a handler that was told of a change which is taken back fails: ${String(error)}`);
	}
}

/** The disk of a qube whose making is still under way is cleared by whoever makes it. */
async function forgetDisk(qube: Qube): Promise<void> {
	const { app, name } = qube;
	if (!app.isTaken(name)) await app.whileTaken(name, () => clearDisk(qube));
}
