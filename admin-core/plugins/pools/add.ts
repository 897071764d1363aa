import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";

/** What Python's splitlines takes for the end of a line, of what is ASCII. */
const LINE_END = /\r\n|[\n\r\v\f]/;

/** `admin.pool.Add+DRIVER`: the payload is a line `KEY=VALUE` for the name and for each option (spec 8.5). */
export async function addPool({ app, argument, payload, permit }: Call): Promise<string> {
	const options = readOptions(payload.toString("latin1"));
	const name = options.get("name");
	if (name === undefined) throw new AdminError("ProtocolError", "new pool: missing name=");
	if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw new AdminError("ProtocolError", "name of a pool: want A-Z a-z 0-9 _ . -");
	options.delete("name");
	permit({ name, pool_config: options });
	if (app.pools.driver(argument) === null) throw new AdminError("PermissionDenied", "Argument not in 'available drivers'");
	await app.pools.add(argument, name, options);
	return "";
}

function readOptions(text: string): Map<string, string> {
	const options = new Map<string, string>();
	const lines = text.split(LINE_END);
	if (lines.at(-1) === "") lines.pop();
	for (const line of lines) {
		if (/[^ -~]/.test(line)) throw new AdminError("ProtocolError", "new pool: want printable ASCII characters");
		const equals = line.indexOf("=");
		if (equals < 0) throw new AdminError("ProtocolError", `new pool: want lines KEY=VALUE, not '${line}'`);
		const key = line.slice(0, equals);
		if (options.has(key)) throw new AdminError("ProtocolError", `duplicated argument: ${key}`);
		options.set(key, line.slice(equals + 1));
	}
	return options;
}
