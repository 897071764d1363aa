/** Ends a program that was called in a way it does not know, as the commands do (spec 10.1): its usage, what is wrong, status 2. */
export function endWithUsage(program: string, message: string): never {
	process.stderr.write(`usage: ${program} [OPTION...]\n${program}: error: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
	process.exit(2);
}
