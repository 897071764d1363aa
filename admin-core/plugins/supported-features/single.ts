/** What a qube may say of itself with one value. */
interface Single {
	/** The value of the feature; null for what is none. */
	readonly accept: (value: string) => string | null;
	/** Whether a value that is there already stays: it is somebody's decision. */
	readonly isOnce?: boolean;
}

/** The features with one value, in the order they are set (spec 2.4, 4). */
export const SINGLE: ReadonlyMap<string, Single> = new Map([
	["os-distribution", { accept: matching(/^[\w.,=-]+$/) }],
	["os-distribution-like", { accept: matching(/^[\w.,= -]+$/) }],
	["os-version", { accept: matching(/^\d[\d.-]*$/) }],
	["os-eol", { accept: (value: string) => (isDate(value) ? value : null) }],
	["qubes-agent-version", { accept: matching(/^\d+\.\d+$/) }],
	["qrexec", { accept: readFlag, isOnce: true }],
	["gui", { accept: readFlag, isOnce: true }],
	["gui-emulated", { accept: readFlag, isOnce: true }],
	["qubes-firewall", { accept: readFlag }],
	["vmexec", { accept: readFlag }],
]);

function matching(pattern: RegExp): (value: string) => string | null {
	return (value) => (pattern.test(value) ? value : null);
}

/** `1` is true, `0` is false, which as a feature is the empty text. */
function readFlag(value: string): string | null {
	if (value === "0") return "";
	return value === "1" ? value : null;
}

/** `YYYY-MM-DD`, a day that there is. */
function isDate(text: string): boolean {
	if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
	const time = Date.parse(`${text}T00:00:00Z`);
	return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
