// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself, so that a program has one copy of it however it is loaded. */
import type * as esm from './index.js' with { 'resolution-mode': 'import' };

const loaded = require('./index.js') as typeof esm;

export const ChronoMind: typeof esm.ChronoMind = loaded.ChronoMind;
export type ChronoMind = esm.ChronoMind;

export const ChronoMindError: typeof esm.ChronoMindError = loaded.ChronoMindError;
export type ChronoMindError = esm.ChronoMindError;

export const chooseBuild: typeof esm.chooseBuild = loaded.chooseBuild;

export type {
    AttachOptions,
    BatchOptions,
    Build,
    Candidate,
    Capabilities,
    CheckReport,
    ChronoMindErrorCode,
    ConsolidateOptions,
    Consolidation,
    ContextSummary,
    DecayOptions,
    ExplainedHit,
    Features,
    Hit,
    LoadOptions,
    Memory,
    MemoryChanges,
    MemoryInput,
    Metric,
    OpenOptions,
    Place,
    Related,
    RelatedMemory,
    RelatedOptions,
    SearchMode,
    SearchOptions,
    SearchReport,
    SharedStore,
    SnapshotReader,
    SnapshotStorage,
    SnapshotWriter,
    Stats,
    StoreConfig,
    Timestamp,
    Vector,
    WasmModule,
    WasmOptions,
    Why,
} from './index.js' with { 'resolution-mode': 'import' };
