// SPDX-License-Identifier: MIT OR Apache-2.0
/** The help texts, word for word those of docs/CLI.md (tests/cli compares them). */
import { VERSION } from '../generated.js';

export const MAIN_HELP = `ChronoMind ${VERSION} - vector memory that knows the age of what it holds

Usage: chronomind COMMAND [OPTION]...

Commands:
  save     read vectors and write them as a snapshot
  query    find the memories nearest to a vector
  stats    say what a snapshot holds
  help     show this help, or that of a command

Options:
  -h, --help       show help (also after a command)
      --version    show the version

Examples:
  chronomind save --input vectors.json --output memories.chrono
  chronomind query --file memories.chrono --vector "0.1,0.2,0.3,0.4" --limit 3
  chronomind stats --file memories.chrono

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

Finds the memories nearest to a vector. The score weighs distance and age; lower is
better.

Options:
  -f, --file FILE            the snapshot to search
  -v, --vector NUMBERS       "[0.1, 0.2]" or "0.1,0.2"
  -l, --limit N              how many results (default: 10)
  -c, --context LABEL        only memories of this context
      --ef N                 candidates while searching (default: the store's)
      --temporal-weight W    share of age in the score, 0 to 1 (default: the store's)
      --now TIME             the time to reckon ages from (default: now)
      --json                 print one JSON object
  -h, --help                 show this help
      --version              show the version

TIME is milliseconds since 1970, or ISO 8601 with Z or an offset.

Examples:
  chronomind query -f memories.chrono -v "[0.1, 0.2, 0.3, 0.4]" -l 3
  chronomind query -f memories.chrono -v "0.1,0.2,0.3,0.4" -c conversations
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
};
