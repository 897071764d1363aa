/** The classes whose message is sent as it is meant (spec 7.3); all others are formats. */
const VERBATIM = ["ProtocolError", "PermissionDenied"];

/**
 * The message of an exception of the daemon: FORMAT % ARGs for the QubesException family, FORMAT for the others (spec 7.3).
 * Where the Python client would fail, for a lone `%` or a number of ARGs that does not fit, FORMAT is shown as it is.
 *
 * | FORMAT                  | ARGs    | message               |
 * | `No such domain: %r`    | `work`  | `No such domain: 'work'` |
 * | `100%% full`            |         | `100% full`           |
 * | `100% full`             |         | `100% full`           |
 */
export function remoteMessage(kind: string, format: string, args: readonly string[]): string {
	if (VERBATIM.includes(kind)) return [format, ...args].join(" ");
	const left = [...args];
	let fits = true;
	const text = format.replace(/%(.|$)/gs, (_match, conversion: string) => {
		if (conversion === "%") return "%";
		const arg = left.shift();
		const shown = arg === undefined ? undefined : convert(conversion, arg);
		if (shown === undefined) fits = false;
		return shown ?? "";
	});
	return fits && left.length === 0 ? text : format;
}

/** One ARG as one conversion shows it; undefined where that does not go. A purely numeric one is an integer. */
function convert(conversion: string, arg: string): string | undefined {
	const isNumber = /^\d+$/.test(arg);
	const text = isNumber ? arg.replace(/^0+(?=\d)/, "") : arg;
	switch (conversion) {
		case "s":
			return text;
		case "r":
			return isNumber ? text : `'${arg}'`;
		case "d":
		case "i":
			return isNumber ? text : undefined;
		default:
			return undefined;
	}
}
