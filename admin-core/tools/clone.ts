/** Copying a qube: a new one is made, and gets what the other one has, step by step (spec 11, qvm-clone). */
import type { Qubesd } from "./client.ts";
import { type Attempt, copyAll } from "./clone-steps.ts";
import type { Setting } from "./command.ts";
import { checkWord, createQube, type NewQube } from "./creation.ts";
import { DaemonError, EmptyReplyError, LocalError, RemoteError, unlessRemote } from "./errors.ts";
import { parseValue } from "./property-value.ts";
import { findQube, listQubes } from "./qubes.ts";

/** What is to be copied, and how. */
export interface ClonePlan {
	readonly source: string;
	readonly name: string;
	/** Class and label are those of the source if undefined. */
	readonly klass: string | undefined;
	readonly label?: string;
	/** What `choosePools` returns. */
	readonly pools: string;
	/** Whether what cannot be copied is left out, with a warning. */
	readonly ignoreErrors: boolean;
}

/**
 * Makes a copy of a qube. Throws UsageError if there is no source, and RemoteError, DaemonError or LocalError for what fails; then the new
 * qube is removed again.
 */
export async function cloneQube(setting: Setting, plan: ClonePlan): Promise<void> {
	const { qubesd } = setting;
	const { source: from, name: to } = plan;
	checkWord(to);
	if (plan.klass !== undefined) checkWord(plan.klass);
	await createQube(qubesd, await describeNew(qubesd, plan));
	try {
		await listQubes(qubesd);
		await copyAll({ ...setting, from, to, attempt: makeAttempt(setting, plan) });
	} catch (error) {
		throw await removeAgain(qubesd, to, error);
	}
}

/** The classes whose root is their own, so that they have no template. */
const ROOTED = ["TemplateVM", "StandaloneVM"];

async function describeNew(qubesd: Qubesd, { source, name, klass, label, pools }: ClonePlan): Promise<NewQube> {
	const found = await findQube(qubesd, source);
	const get = async (property: string) => parseValue(await qubesd.call(source, "admin.vm.property.Get", property)).text;
	const template = (await unlessRemote(get("template"), "QubesNoSuchPropertyError")) ?? "";
	const newClass = klass ?? found.klass;
	return {
		name,
		klass: newClass,
		label: label ?? (await get("label")),
		template: ROOTED.includes(newClass) ? "" : template,
		pools,
	};
}

function makeAttempt({ warn }: Setting, { ignoreErrors }: ClonePlan): Attempt {
	return async (what, step) => {
		try {
			await step();
		} catch (error) {
			if (!ignoreErrors || !isFailure(error)) throw error;
			warn(`${what} is not copied: ${error.message}`);
		}
	};
}

/** What a single thing can fail by; without the daemon nothing goes on. */
function isFailure(error: unknown): error is Error {
	return [RemoteError, EmptyReplyError, LocalError].some((kind) => error instanceof kind);
}

/** What to throw for an error in the middle: that one, and what has become of the half of a qube if it is still there. */
async function removeAgain(qubesd: Qubesd, name: string, error: unknown): Promise<unknown> {
	try {
		await qubesd.call(name, "admin.vm.Remove");
		return error;
	} catch (second) {
		if (!(isFailure(error) && (isFailure(second) || second instanceof DaemonError))) return error;
		return new LocalError(`${error.message}; and ${name}, which is not whole, cannot be removed: ${second.message}`);
	}
}
