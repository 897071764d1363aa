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
	let inString = false;
	for (let i = 0; i < json.length; i++) {
		const character = json[i];
		if (character === '"') inString = !inString;
		else if (inString && character === "\\") i++;
		else if (!inString && (character === "[" || character === "{")) depth++;
		else if (!inString && (character === "]" || character === "}")) depth--;
		if (depth > MAX_DEPTH) return true;
	}
	return false;
}
