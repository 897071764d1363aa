import type { Invocation } from "./command.ts";
import type { Devices } from "./devices.ts";
import { flag, JSON_OPTION, texts } from "./options.ts";

/** The options of qvm-device and its kin, whatever the action. */
export const DEVICE_OPTIONS = {
	assignments: flag("for list: also who is to get a device later", "s"),
	option: texts("NAME=VALUE, for attach and assign; repeat for more", "o"),
	ro: flag("for attach and assign: the same as -o read-only=yes"),
	persistent: flag("for attach: the same as assign --required", "p"),
	ask: flag("for assign: ask before it is attached"),
	required: flag("for assign: the qube does not start without it"),
	port: flag("for assign and unassign: whatever device is at the port"),
	device: flag("for assign and unassign: the device, at whatever port"),
	...JSON_OPTION,
} as const;

/** A call of qvm-device, and the devices of the class that it is about. */
export interface DeviceCall extends Invocation<typeof DEVICE_OPTIONS> {
	readonly devices: Devices;
}
