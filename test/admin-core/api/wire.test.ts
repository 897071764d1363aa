// Frames, byte for byte: spec/admin-core.md 7.2, 7.3, 7.5, 12 (2, 3).
import test from "ava";
import { encodeError, encodeEvent, encodeReply, parseRequest } from "../../../admin-core/api/wire.ts";
import { AdminError, ERROR_KINDS } from "../../../admin-core/model/errors.ts";

/** `wanted`: method, argument, source, destination, payload. */
function reads(title: string, bytes: string, wanted: readonly string[]) {
	test(title, (t) => {
		const request = parseRequest(Buffer.from(bytes, "latin1"));
		if (request === null) return t.fail("a framing error");
		const { method, argument, source, destination, payload } = request;
		t.deepEqual([method, argument, source, destination, payload.toString("latin1")], wanted);
	});
}

reads("the list call of the client is read", "admin.vm.List+ dom0 name dom0\0", ["admin.vm.List", "", "dom0", "dom0", ""]);
reads("a call without + has an empty argument", "a.B dom0 name work\0", ["a.B", "", "dom0", "work", ""]);
reads("further + are part of the argument", "a.B+c+d+ x name y\0", ["a.B", "c+d+", "x", "y", ""]);
reads("a payload may have NULs and any bytes in it", "a.B+c x name y\0\0\xff\0 \n", ["a.B", "c", "x", "y", "\0\xff\0 \n"]);
reads("keyword adminvm means dom0", "a.B+c x keyword adminvm\0p", ["a.B", "c", "x", "dom0", "p"]);
reads("a destination may have spaces, which make it no name", "a.B+c x name y z \0", ["a.B", "c", "x", "y z ", ""]);
reads("a uuid may stand for a name", "a.B+c uuid:1-2 name uuid:3\0", ["a.B", "c", "uuid:1-2", "uuid:3", ""]);
reads("that names are empty is no matter of the frame", "  name \0", ["", "", "", "", ""]);

function isFramingError(title: string, bytes: string) {
	test(title, (t) => {
		t.is(parseRequest(Buffer.from(bytes, "latin1")), null);
	});
}

isFramingError("nothing is a framing error", "");
isFramingError("a header without NUL is a framing error", "admin.vm.List+ dom0 name dom0");
isFramingError("three parts are a framing error", "admin.vm.List+ dom0 name\0payload with  spaces");
isFramingError("an unknown type of destination is a framing error", "a.B+ dom0 uuid dom0\0");
isFramingError("a keyword other than adminvm is a framing error", "a.B+ dom0 keyword dom0\0");
isFramingError("adminvm as a name with something behind it is a framing error", "a.B+ dom0 keyword adminvm \0");
isFramingError("a framing error that is not ASCII is a framing error", "a.B+\xe9 dom0 name\0");

for (const header of ["a.B+\xc3\xa9 x name y", "a.\xff x name y", "a.B+ \x80 name y", "a.B+ x name \xe9"]) {
	test(`12.2: ${JSON.stringify(header)} is refused with a reason`, (t) => {
		const error = t.throws(() => parseRequest(Buffer.from(`${header}\0`, "latin1")), { instanceOf: AdminError });
		t.is(error?.kind, "QubesValueError");
		t.is(error?.message, "header: want ASCII characters only");
	});
}

/** `wanted`: one character for each byte. */
function encodes(title: string, frame: () => Buffer, wanted: string) {
	test(title, (t) => {
		t.is(frame().toString("latin1"), wanted);
	});
}

encodes("a reply starts with 0 and NUL", () => encodeReply("work\n"), "\x30\x00work\n");
encodes("a reply may be empty", () => encodeReply(""), "0\0");
encodes("a reply is UTF-8", () => encodeReply("é"), "0\0\xc3\xa9");
encodes("a reply of bytes is sent as it is", () => encodeReply(Buffer.from([0, 255])), "0\0\0\xff");

const notFound = new AdminError("QubesVMNotFoundError", "No such domain: 'x'");
encodes(
	"an error has class, traceback and text",
	() => encodeError(notFound),
	"2\0QubesVMNotFoundError\0\0No such domain: 'x'\0",
);
encodes(
	"a traceback is sent if there is one",
	() => encodeError(notFound, "at é\n%"),
	`2\0${notFound.kind}\0at \xc3\xa9\n%\0${notFound.message}\0`,
);
encodes(
	"the text of an error is UTF-8",
	() => encodeError(new AdminError("QubesException", "é")),
	"2\0QubesException\0\0\xc3\xa9\0",
);
encodes(
	"NULs forge no field",
	() => encodeError(new AdminError("QubesException", "a\0b"), "c\0d"),
	"2\0QubesException\0c\\x00d\0a\\x00b\0",
);

for (const kind of ERROR_KINDS) {
	const isVerbatim = kind === "ProtocolError" || kind === "PermissionDenied";
	test(`12.3: a % in the text of ${kind} is sent ${isVerbatim ? "once" : "twice"}`, (t) => {
		const text = isVerbatim ? "5% %s" : "5%% %%s";
		t.is(encodeError(new AdminError(kind, "5% %s")).toString(), `2\0${kind}\0\0${text}\0`);
	});
}

encodes(
	"the first event has no subject and no pairs",
	() => encodeEvent("", "connection-established", []),
	"\x31\0\0connection-established\0\0",
);
encodes(
	"an event has its pairs in order and an empty key at the end",
	() =>
		encodeEvent("work", "domain-feature-set:evf", [
			["feature", "evf"],
			["value", "2"],
			["oldvalue", "1"],
		]),
	"\x31\0work\0domain-feature-set:evf\0feature\0evf\0value\x002\0oldvalue\x001\0\0",
);
encodes("a value may be empty", () => encodeEvent("w", "e", [["k", ""]]), "1\0w\0e\0k\0\0\0");
encodes("12.14: an event is UTF-8", () => encodeEvent("w", "e:é", [["k", "ü"]]), "1\0w\0e:\xc3\xa9\0k\0\xc3\xbc\0\0");
encodes("NULs forge no event", () => encodeEvent("w\0", "e", [["k", "\0"]]), "1\0w\\x00\0e\0k\0\\x00\0\0");
