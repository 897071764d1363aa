const MAX_DEPTH = 64;

/** See Host.parseJson. */
export function parseJson(text: string): unknown {
	try {
		const value: unknown = JSON.parse(text);
		return isTooDeep(text) ? undefined : value;
	} catch {
		return undefined;
	}
}

/** Whether JSON has lists and objects within each other more than MAX_DEPTH deep. */
function isTooDeep(json: string): boolean {
	let depth = 0;
	for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/g)) {
		if (token === "[" || token === "{") depth++;
		if (token === "]" || token === "}") depth--;
		if (depth > MAX_DEPTH) return true;
	}
	return false;
}
