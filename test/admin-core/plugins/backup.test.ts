// admin.backup.*: spec/admin-core.md 8.9. Profiles are found; that no backup is made is said.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { expectAnswers } from "./desk.ts";
import { openDeskWithDirs } from "./qube-dirs.ts";

test("a backup is not made, and so never under way, and that is said", async (t) => {
	const desk = openDeskWithDirs(t);
	fs.mkdirSync(path.join(desk.dir, "backup"));
	fs.writeFileSync(path.join(desk.dir, "backup/daily.conf"), "include:\n- work\n");
	await expectAnswers(t, desk, [
		["dom0", "admin.backup.Execute+daily", "", "QubesNotImplementedError: backups are not made by this qubesd"],
		["dom0", "admin.backup.Info+daily", "", "QubesNotImplementedError: profiles of backups are not read by this qubesd"],
		["dom0", "admin.backup.Cancel+daily", "", "QubesException: no backup with the profile daily is under way"],
	]);
});

for (const method of ["Execute", "Cancel", "Info"]) {
	test(`admin.backup.${method} of a profile that there is not, or cannot be`, (t) =>
		expectAnswers(t, openDeskWithDirs(t), [
			["dom0", `admin.backup.${method}+daily`, "", "QubesBackupProfileNotFoundError: there is no backup profile daily"],
			["dom0", `admin.backup.${method}+..`, "", "QubesBackupProfileNotFoundError: there is no backup profile .."],
			["dom0", `admin.backup.${method}+../x`, "", "ProtocolError: name of a backup profile: want no /"],
			["dom0", `admin.backup.${method}`, "", "ProtocolError: expected an argument"],
			["dom0", `admin.backup.${method}+daily`, "x", "ProtocolError: unexpected payload"],
			["work", `admin.backup.${method}+daily`, "", "ProtocolError: expected destination to be AdminVM"],
		]));
}

test("who may not make backups does not learn which profiles there are", async (t) => {
	const desk = openDeskWithDirs(t);
	desk.app.qube("work").addHandler("admin-permission:admin.backup.*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
	t.is(await desk.call("work>dom0", "admin.backup.Info+daily"), "PermissionDenied: no");
});
