// Long options may be abbreviated: spec/admin-core.md 10.1.
import test from "ava";
import { UsageError } from "../../../admin-core/tools/errors.ts";
import { expandArguments } from "../../../admin-core/tools/expand-arguments.ts";
import { COMMON_OPTIONS, flag, JSON_OPTION, text } from "../../../admin-core/tools/options.ts";

const TABLE = {
	...COMMON_OPTIONS,
	...JSON_OPTION,
	"hide-default": flag(""),
	unset: flag("", "default", "delete", "D"),
	set: flag("", "s"),
	label: text("", "l"),
};

for (const [given, wanted] of [
	["--hide", "--hide-default"],
	["--hide=x", "--hide-default=x"],
	["--set", "--set"],
	["--s", "--set"],
	["--force", "--force-root"],
	["--de", "--default"],
	["--unset", "--unset"],
	["--lab=a=b", "--label=a=b"],
	["-lred", "--label=red"],
	["-l=red", "--label=red"],
	["-l", "-l"],
	["-Dv", "-Dv"],
	["-5", "-5"],
	["-", "-"],
	["work", "work"],
	["", ""],
	["--json", "--json"],
] as const) {
	test(`"${given}" becomes "${wanted}"`, (t) => {
		t.deepEqual(expandArguments([given], TABLE), [wanted]);
	});
}

test("after -- nothing is an option", (t) => {
	t.deepEqual(expandArguments(["--hide", "--", "--hide", "--what", "-lred"], TABLE), [
		...["--hide-default", "--", "--hide"],
		...["--what", "-lred"],
	]);
});

for (const [given, message] of [
	["--ver", 'ambiguous option: "--ver" could be --verbose, --version'],
	["--wat", 'unknown option: "--wat"'],
	["--wat=1", 'unknown option: "--wat"'],
	["--D", 'unknown option: "--D"'],
	["--js", 'unknown option: "--js"'],
] as const) {
	test(`"${given}" is refused: ${message}`, (t) => {
		t.throws(() => expandArguments([given], TABLE), { instanceOf: UsageError, message });
	});
}
