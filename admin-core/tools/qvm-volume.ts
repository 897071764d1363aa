/** qvm-volume: lists, shows, changes, imports, reverts and clones volumes of qubes (spec 10.3, storage-reflink 9.5). */
import { type Action, completeAction, describeActions, runAction } from "./actions.ts";
import type { Qubesd } from "./client.ts";
import { command } from "./command.ts";
import { qubeNames } from "./qubes.ts";
import { clear, clone, config, resize, revert, VOLUME_SETTINGS } from "./volume-change.ts";
import { importFile } from "./volume-import.ts";
import { info, VOLUME_PROPERTIES } from "./volume-info.ts";
import { list } from "./volume-list.ts";
import { VOLUME_OPTIONS, type VolumeCall } from "./volume-options.ts";
import { completeVolume, listRevisions, parseVolume } from "./volumes.ts";

const ACTIONS: readonly Action<VolumeCall>[] = [
	{
		names: ["list", "ls", "l"],
		words: ["VMNAME*"],
		options: ["pool", "json"],
		about: "list volumes, of all qubes or these",
		act: list,
		complete: (_words, qubesd) => qubeNames(qubesd),
	},
	{
		names: ["info", "i"],
		words: ["VMNAME:VOLUME", "PROPERTY?"],
		options: ["json"],
		about: "show a volume, or the value of one property",
		act: info,
		complete: volumeThen(async () => [...VOLUME_PROPERTIES, "revisions"]),
	},
	{
		names: ["config", "c", "set", "s"],
		words: ["VMNAME:VOLUME", "PROPERTY", "VALUE"],
		options: [],
		about: `change ${VOLUME_SETTINGS.join(", ")}`,
		act: config,
		complete: volumeThen(async () => VOLUME_SETTINGS),
	},
	{
		names: ["resize", "extend"],
		words: ["VMNAME:VOLUME", "SIZE"],
		options: ["force"],
		about: "change the size: bytes, or as in 20GiB, 20G",
		act: resize,
		complete: volumeThen(async () => []),
	},
	{
		names: ["revert", "rv", "r"],
		words: ["VMNAME:VOLUME", "REVISION?"],
		options: [],
		about: "go back to a revision, or to the last one",
		act: revert,
		complete: volumeThen((word, qubesd) => listRevisions(qubesd, parseVolume(word))),
	},
	{
		names: ["import"],
		words: ["VMNAME:VOLUME", "FILE"],
		options: ["size", "no-resize"],
		about: "replace the content by that of a file, or of standard input (-)",
		act: importFile,
		complete: volumeThen(async () => []),
	},
	{
		names: ["clone"],
		words: ["VMNAME:VOLUME", "VMNAME:VOLUME"],
		options: ["force"],
		about: "replace the content of the second one by that of the first one",
		act: clone,
		complete: async (words, qubesd) => (words.length < 2 ? completeVolume(qubesd) : []),
	},
	{
		names: ["clear"],
		words: ["VMNAME:VOLUME"],
		options: ["force"],
		about: "remove the content",
		act: clear,
		complete: volumeThen(async () => []),
	},
];

/** Completes a volume, and then whatever follows. */
function volumeThen(next: (volume: string, qubesd: Qubesd) => Promise<readonly string[]>): Action<VolumeCall>["complete"] {
	return async ([volume, ...more], qubesd) => {
		if (volume === undefined) return completeVolume(qubesd);
		return more.length === 0 ? next(volume, qubesd) : [];
	};
}

/** Lists, shows, changes, imports, reverts or clones volumes of qubes, as its first word says. */
export const run = command({
	name: "qvm-volume",
	about: `Lists, shows, changes, imports, reverts or clones volumes of qubes.
${describeActions(ACTIONS)}`,
	words: ["ACTION?", "WORD*"],
	options: VOLUME_OPTIONS,
	complete: (words, qubesd) => completeAction(ACTIONS, words, qubesd),
	act: (invocation) => runAction(ACTIONS, Object.keys(VOLUME_OPTIONS), invocation, invocation.words),
});
