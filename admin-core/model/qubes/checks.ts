import { AdminError } from "../errors.ts";
import { formatValue, type Value } from "../properties/property.ts";
import { providesNetwork } from "./kinds.ts";
import type { Qube } from "./qube.ts";

/** Checks of values that several properties share (spec 3.7, 3.8); each returns the value or throws an AdminError. */
type Check = (holder: unknown, value: Value) => Value;

/** A number from 1 on. */
export function checkAboveZero(name: string): Check {
	return (_holder, value) => {
		if (Number(value) > 0) return value;
		throw new AdminError("QubesPropertyValueError", `${name}: want a number above 0, not ${formatValue(value)}`);
	};
}

/** A number from 0 on. */
export function checkNotNegative(name: string): Check {
	return (_holder, value) => {
		if (Number(value) >= 0) return value;
		throw new AdminError("QubesPropertyValueError", `${name}: want 0 or more, not ${formatValue(value)}`);
	};
}

/** A text that fits a pattern as a whole; `wanted` says which. */
export function checkText(name: string, pattern: RegExp, wanted: string): Check {
	return (_holder, value) => {
		if (pattern.test(String(value))) return value;
		throw new AdminError("QubesPropertyValueError", `${name}: want ${wanted}, not '${formatValue(value)}'`);
	};
}

/** A qube that others can be connected through, or none. */
export function checkProvidesNetwork(name: string, qube: Qube | null): Qube | null {
	if (qube === null || providesNetwork(qube)) return qube;
	throw new AdminError("QubesValueError", `${name}: the '${qube.name}' qube does not provide network: set its provides_network`);
}

/** A net qube that is not connected through the qube itself; while the store is read not all connections are known, so it is looked at later. */
export function checkNetvm(qube: Qube, netvm: Qube | null): Qube | null {
	checkProvidesNetwork("netvm", netvm);
	if (qube.eventsEnabled) refuseLoop(qube, netvm);
	return netvm;
}

/** Throws a QubesValueError where a qube would be connected through itself. */
export function refuseLoop(qube: Qube, netvm: Qube | null): void {
	if (!isConnectedThrough(netvm, qube)) return;
	const message = `Loops in network are unsupported: ${netvm?.name} is connected through ${qube.name}`;
	throw new AdminError("QubesValueError", message);
}

/** Whether the way of a qube to the network, itself included, goes through another one. */
export function isConnectedThrough(start: Qube | null, wanted: Qube): boolean {
	const seen = new Set<Qube>();
	for (let next = start; next !== null && !seen.has(next); next = next.related("netvm")) {
		if (next === wanted) return true;
		seen.add(next);
	}
	return false;
}

/** Throws a QubesVMInUseError where somebody names a qube in one of these properties. */
export function refuseWhileNamed(qube: Qube, properties: readonly string[], message: string): void {
	const users = qube.app.usersOf(qube).filter((user) => properties.some((name) => user.endsWith(`.${name}`)));
	if (users.length > 0) throw new AdminError("QubesVMInUseError", `${qube.name} ${message}: ${users.join(", ")}`);
}
