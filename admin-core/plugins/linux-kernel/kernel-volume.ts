import fs from "node:fs";
import path from "node:path";
import { AdminError } from "../../model/errors.ts";
import type { Volume } from "../../model/storage/contract.ts";
import type { KernelPool } from "./kernel-pool.ts";

/** The image with the modules, which is what a qube gets; the kernel itself is handed to the hypervisor. */
const MODULES = "modules.img";
const KERNEL = "vmlinuz";

/** The modules of one kernel, read only; of nothing for a qube that has its kernel in its root volume. */
export class KernelVolume implements Volume {
	readonly name: string;
	readonly pool: KernelPool;
	readonly snapOnStart = false;
	readonly saveOnStop = false;
	readonly source = null;
	readonly revisions: ReadonlyMap<string, string> = new Map();
	private readonly kernel: () => string;

	constructor(pool: KernelPool, name: string, kernel: () => string) {
		this.pool = pool;
		this.name = name;
		this.kernel = kernel;
	}

	get vid(): string {
		return this.kernel();
	}

	get path(): string {
		return this.vid === "" ? "" : path.join(this.pool.dir, this.vid, MODULES);
	}

	get size(): number {
		return this.stat()?.size ?? 0;
	}

	get usage(): number {
		return (this.stat()?.blocks ?? 0) * 512;
	}

	get rw(): boolean {
		return false;
	}

	set rw(_value: boolean) {
		throw this.lacks("rw");
	}

	get revisionsToKeep(): number {
		return 0;
	}

	set revisionsToKeep(_value: number) {
		throw this.lacks("revisions_to_keep");
	}

	get ephemeral(): boolean | undefined {
		return undefined;
	}

	set ephemeral(_value: boolean | undefined) {
		throw this.lacks("ephemeral");
	}

	isDirty(): boolean {
		return false;
	}

	isOutdated(): boolean {
		return false;
	}

	async verify(): Promise<void> {
		if (this.vid === "" || fs.existsSync(path.join(this.pool.dir, this.vid, KERNEL))) return;
		throw new AdminError(
			"StoragePoolException",
			`volume ${this.name}: kernel '${this.vid}' is not installed in ${this.pool.dir}`,
		);
	}

	/** Packages make and remove kernels; that qubes come and go, start and stop, is nothing to them. */
	async create(): Promise<void> {}
	async remove(): Promise<void> {}
	async start(): Promise<void> {}
	async stop(): Promise<void> {}

	export(): Promise<never> {
		return Promise.reject(this.lacks("export"));
	}

	exportEnd(): Promise<never> {
		return Promise.reject(this.lacks("exportEnd"));
	}

	importData(): Promise<never> {
		return Promise.reject(this.lacks("importData"));
	}

	importDataEnd(): Promise<never> {
		return Promise.reject(this.lacks("importDataEnd"));
	}

	/** Nothing of it is kept by a qube, so there is nothing to take over. */
	async importVolume(): Promise<void> {}

	resize(): Promise<never> {
		return Promise.reject(this.lacks("resize"));
	}

	revert(): Promise<never> {
		return Promise.reject(this.lacks("revert"));
	}

	toString(): string {
		return this.vid;
	}

	/** What cannot be looked at, as it has an impossible name in the store, is as if it were not there. */
	private stat(): fs.Stats | undefined {
		try {
			return this.vid === "" ? undefined : fs.statSync(this.path, { throwIfNoEntry: false });
		} catch {
			return undefined;
		}
	}

	private lacks(operation: string): AdminError {
		return new AdminError("QubesNotImplementedError", `driver ${this.pool.driver} has no ${operation}`);
	}
}
