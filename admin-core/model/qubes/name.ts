import { AdminError } from "../errors.ts";

const MAX_LENGTH = 31;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The classes of qubes; a store names them so. */
export const QUBE_CLASS_NAMES = ["AdminVM", "TemplateVM", "AppVM", "StandaloneVM", "DispVM", "RemoteVM"] as const;

/** The name of one of these classes. */
export type QubeClassName = (typeof QUBE_CLASS_NAMES)[number];

/** The uuid of dom0. */
export const DOM0_UUID = "00000000-0000-0000-0000-000000000000";

/** Throws a QubesValueError that says why a text cannot be the name of a qube (spec 3.9). */
export function checkQubeName(name: string): void {
	const problem = problemOf(name);
	if (problem !== null) throw new AdminError("QubesValueError", problem);
}

function problemOf(name: string): string | null {
	if (name.length > MAX_LENGTH) return "VM name must be shorter than 32 characters";
	if (!/^[A-Za-z]/.test(name)) return "VM name cannot start with hyphen, underscore, dot or numbers";
	if (/[^A-Za-z0-9_.-]/.test(name)) return "VM name contains illegal characters";
	if (name === "Domain-0") return "VM name cannot be 'Domain-0'";
	if (name === "none" || name === "default") return "VM name cannot be 'none' nor 'default'";
	return name.endsWith("-dm") ? "VM name cannot end with -dm" : null;
}

/** Whether a text is a uuid as they are written here, in lower case. */
export function isUuid(text: string): boolean {
	return UUID.test(text);
}

/** dom0 first, then by name in the order of code points (spec 3.9). */
export function compareQubeNames(a: string, b: string): number {
	if (a === b) return 0;
	if (a === "dom0" || b === "dom0") return a === "dom0" ? -1 : 1;
	return a < b ? -1 : 1;
}
