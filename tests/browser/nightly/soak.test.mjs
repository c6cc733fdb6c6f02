//! Two SDKs and two roomd in one room do three hundred things at random; after each, all four see the same room within two seconds.
//! ROOMD_SOAK_SEED repeats a run.
import { applianceBench } from "../support/appliance.mjs";
import { soak, soakSeed } from "../support/soak.mjs";

const { test } = applianceBench();
const seed = soakSeed();

test(`three hundred actions of four participants, seed ${seed}`, (desk) => soak(desk, { steps: 300, seed }), { timeout: 840_000 });
