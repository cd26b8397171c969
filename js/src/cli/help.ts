// SPDX-License-Identifier: MIT OR Apache-2.0
/** The help texts, word for word those of docs/CLI.md (tests/cli compares them). */
import { VERSION } from '../generated.js';

export const MAIN_HELP = `ChronoMind ${VERSION} - vector memory that knows the age of what it holds

Usage: chronomind COMMAND [OPTION]...

Commands:
  save         read vectors and write them as a snapshot
  query        find the memories nearest to a vector, and freshest
  get          show one memory
  related      follow the relationships of a memory
  context      sum up a context, or list them all
  stats        say what a snapshot holds
  update       change attributes of a memory
  access       count an access to a memory
  relate       relate a memory to another
  unrelate     take such a relationship off
  remove       remove memories
  decay        let importance fade with time
  consolidate  merge near-duplicates
  help         show this help, or that of a command

Options:
  -h, --help       show help (also after a command)
      --version    show the version

Examples:
  chronomind save --input vectors.json --output memories.chrono
  chronomind query --file memories.chrono --vector "0.1,0.2,0.3,0.4" --limit 3
  chronomind get --file memories.chrono --id note-17
  chronomind decay --file memories.chrono

Exit status: 0 done, 1 it failed, 2 wrong usage, 130 interrupted.
`;

export const HELP: Record<string, string> = {
    save: `Usage: chronomind save --input FILE --output FILE [OPTION]...

Reads vectors and writes them as a snapshot. The snapshot is replaced at once and
only when everything went well.

Options:
  -i, --input FILE           what to read; - is standard input
  -o, --output FILE          the snapshot to write
  -d, --dimensions N         numbers per vector (default: those of the first)
  -m, --max-memories N       capacity of the store (default: 100000)
  -n, --normalize            scale every vector to length 1
      --format FORMAT        json, jsonl, npy or fvecs (default: by extension)
      --ids FILE             ids for npy and fvecs, one per line (default: 0, 1, ...)
      --context LABEL        context of records without one (default: default)
      --metric METRIC        cosine, dot or l2 (default: cosine)
      --vectors KIND         f32; bf16: rounded, half the size; i8: 8-bit codes
                             besides, for faster searches (default: f32)
      --m N                  links per node of the index (default: 16)
      --ef-construction N    candidates while building (default: 200)
      --ef-search N          candidates while searching (default: 50)
      --seed N               seed of the index levels (default: 42)
      --now TIME             timestamp of records without one (default: now)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

JSON input is an object, an array of objects, or one object after another:
  id             string, required
  data           array of numbers, required
  context        string
  importance     number from 0 to 1 (default: 0.5)
  decay_rate     number per hour; 0 is the store's rate (default: 0)
  relationships  array of ids
  timestamp      milliseconds since 1970, or ISO 8601 with Z or an offset
  text           string
  metadata       any JSON value
Other fields are ignored; null is the same as absent.

Examples:
  chronomind save -i vectors.json -o memories.chrono -d 4 --normalize
  chronomind save -i vectors.npy --ids words.txt -o words.chrono -m 400000
`,
    query: `Usage: chronomind query --file FILE --vector NUMBERS [OPTION]...

Finds the memories nearest to a vector, and freshest: the score weighs distance and
age; lower is better.

Options:
  -f, --file FILE            the snapshot to search
  -v, --vector NUMBERS       "[0.1, 0.2]" or "0.1,0.2"
  -l, --limit N              how many results (default: 10)
  -c, --context LABEL        only memories of this context
      --after TIME           only memories created then or later
      --before TIME          only memories created before it
      --min-importance X     only memories at least as important, 0 to 1
      --max-importance X     only memories at most as important, 0 to 1
      --ef N                 candidates while searching (default: the store's)
      --budget N             most distances to compute, roughly (default: no limit)
      --temporal-weight W    share of age in the score, 0 to 1 (default: the store's)
      --now TIME             the time to reckon ages from (default: now)
      --exact                score every memory
      --rerank               take the nearest by distance, then sort by score
      --why                  explain each score, and how sure the answer is
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

TIME is milliseconds since 1970, ISO 8601 with Z or an offset, now, or relative to
--now: -15m, -24h, -30d, +1w.

Examples:
  chronomind query -f memories.chrono -v "[0.1, 0.2, 0.3, 0.4]" -l 3
  chronomind query -f memories.chrono -v "0.1,0.2,0.3,0.4" -c conversations
  chronomind query -f memories.chrono -v "0.1,0.2,0.3,0.4" --after -7d --why
`,
    get: `Usage: chronomind get --file FILE --id ID [OPTION]...

Shows one memory with all that is known of it.

Options:
  -f, --file FILE            the snapshot to look at
      --id ID                the memory
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Examples:
  chronomind get -f memories.chrono --id note-17
  chronomind get -f memories.chrono --id note-17 --json | chronomind save -i - -o one.chrono
`,
    related: `Usage: chronomind related --file FILE --id ID [OPTION]...

Follows the relationships of a memory, nearest first; ids that do not exist are passed
over.

Options:
  -f, --file FILE            the snapshot to look at
      --id ID                where to start
      --depth N              how many steps to follow (default: 1)
  -l, --limit N              how many results (default: all)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Examples:
  chronomind related -f memories.chrono --id note-17
  chronomind related -f memories.chrono --id note-17 --depth 3 --limit 20
`,
    context: `Usage: chronomind context --file FILE [OPTION]...

Sums up a context: how many memories, how important, and their mean vector. Without
--context, lists all contexts.

Options:
  -f, --file FILE            the snapshot to look at
  -c, --context LABEL        the context (default: a list of all)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Examples:
  chronomind context -f memories.chrono
  chronomind context -f memories.chrono -c conversations
`,
    stats: `Usage: chronomind stats --file FILE [OPTION]...

Says what a snapshot holds: counts, contexts and the most referenced memories.

Options:
  -f, --file FILE    the snapshot to look at
      --json         print one JSON object
  -h, --help         show this help
      --version      show the version

Example:
  chronomind stats -f memories.chrono
`,
    update: `Usage: chronomind update --file FILE --id ID [OPTION]...

Changes attributes of a memory; what is not given stays. The file is replaced at once
and only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --id ID                the memory
      --importance X         0 to 1
      --decay-rate X         per hour; 0 is the store's rate
  -c, --context LABEL        move it to this context
      --text TEXT            its text; "" for none
      --metadata JSON        any JSON value; null for none
      --now TIME             the new importance fades from then on (default: now)
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

TIME is milliseconds since 1970, ISO 8601 with Z or an offset, now, or relative to
now: -15m, -24h, -30d, +1w.

Examples:
  chronomind update -f memories.chrono --id note-17 --importance 0.9
  chronomind update -f memories.chrono --id note-17 --metadata '{"read": true}' -c archive
`,
    access: `Usage: chronomind access --file FILE --id ID [OPTION]...

Counts an access to a memory; its importance fades from then on. The file is replaced
at once and only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --id ID                the memory
      --now TIME             the time of the access (default: now)
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

TIME is milliseconds since 1970, ISO 8601 with Z or an offset, now, or relative to
now: -15m, -24h, -30d, +1w.

Example:
  chronomind access -f memories.chrono --id note-17
`,
    relate: `Usage: chronomind relate --file FILE --id ID --to ID [OPTION]...

Relates a memory to another, which need not exist. The file is replaced at once and
only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --id ID                the memory
      --to ID                what it is related to
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Example:
  chronomind relate -f memories.chrono --id note-17 --to note-3
`,
    unrelate: `Usage: chronomind unrelate --file FILE --id ID --to ID [OPTION]...

Takes a relationship off a memory. The file is replaced at once and only when
everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --id ID                the memory
      --to ID                what it is related to no more
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Example:
  chronomind unrelate -f memories.chrono --id note-17 --to note-3
`,
    remove: `Usage: chronomind remove --file FILE --id ID [--id ID]... [OPTION]...

Removes memories: all of those named, or, when one does not exist, none. The file is
replaced at once and only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --id ID                a memory; may be given many times
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Examples:
  chronomind remove -f memories.chrono --id note-17
  chronomind remove -f memories.chrono --id note-17 --id note-18 -o smaller.chrono
`,
    decay: `Usage: chronomind decay --file FILE [OPTION]...

Lets the importance of all memories fade with the time since their last access, or the
last decay. The file is replaced at once and only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --now TIME             the time to decay to (default: now)
      --dry-run              say what would change, write nothing
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

TIME is milliseconds since 1970, ISO 8601 with Z or an offset, now, or relative to
now: -15m, -24h, -30d, +1w.

Examples:
  chronomind decay -f memories.chrono
  chronomind decay -f memories.chrono --now +30d --dry-run
`,
    consolidate: `Usage: chronomind consolidate --file FILE [OPTION]...

Merges near-duplicates: the most important memory absorbs those that are more similar
than the threshold. The file is replaced at once and only when everything went well.

Options:
  -f, --file FILE            the snapshot to change
      --threshold X          cosine similarity, above 0 and below 1 (default: the store's)
      --dry-run              say what would change, write nothing
  -o, --output FILE          where to write (default: over the same file)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

Examples:
  chronomind consolidate -f memories.chrono --dry-run
  chronomind consolidate -f memories.chrono --threshold 0.98 -o merged.chrono
`,
};
