/**
 * Every kind of error that a client is told of, by the name of its class in the Admin API, which is the contract (spec 7.3).
 * Those of the second list are known to no client: to it they are plain QubesExceptions.
 */
export const ERROR_KINDS = [
	"ProtocolError",
	"PermissionDenied",
	"QubesException",
	"QubesVMNotFoundError",
	"QubesVMInvalidUUIDError",
	"QubesVMError",
	"QubesVMInUseError",
	"QubesVMNotStartedError",
	"QubesVMNotRunningError",
	"QubesVMNotPausedError",
	"QubesVMNotSuspendedError",
	"QubesVMNotHaltedError",
	"QubesVMShutdownTimeoutError",
	"QubesNoTemplateError",
	"QubesVMAlreadyStartedError",
	"QubesPoolInUseError",
	"QubesValueError",
	"QubesPropertyValueError",
	"QubesNoSuchPropertyError",
	"QubesNotImplementedError",
	"QubesMemoryError",
	"QubesFeatureNotFoundError",
	"QubesTagNotFoundError",
	"QubesLabelNotFoundError",
	"DeviceNotAssigned",
	"DeviceAlreadyAttached",
	"DeviceAlreadyAssigned",
	"UnrecognizedDevice",
	"UnexpectedDeviceProperty",
	"StoragePoolException",
	...(["QubesVMAlreadyExistsError", "QubesLabelInUseError", "QubesInvalidTagError", "QubesInvalidLabelError"] as const),
	...(["QubesInvalidLabelValueError", "QubesVolumeCopyTokenNotFoundError", "QubesVolumeCopyInUseError"] as const),
	"QubesVolumeRevisionNotFoundError",
	...(["QubesUnrecognizedDeviceAssignmentMode", "DeviceNotFound", "QubesBackupProfileNotFoundError"] as const),
] as const;

/** The name of one of these kinds. */
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** An error that the client is told of as it is; everything else that is thrown is a defect, of which it only learns that it happened. */
export class AdminError extends Error {
	readonly kind: ErrorKind;

	constructor(kind: ErrorKind, message: string) {
		super(message);
		this.kind = kind;
	}
}

/** What was thrown, in words: also something that is no Error. */
export function messageOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Whether what was thrown is an AdminError, also one of a plugin: plugins are bundled on their own, with a class AdminError of their own, so that
 * `instanceof` would not know it.
 */
export function isAdminError(thrown: unknown): thrown is AdminError {
	return thrown instanceof Error && (ERROR_KINDS as readonly unknown[]).includes((thrown as Partial<AdminError>).kind);
}
