// SPDX-License-Identifier: MIT OR Apache-2.0
// tables.mjs - one function per table of the report, over the rows of bench/results.

import { count, distinct, one, oursOver, PEERS, ratio, select, share, spread, systems, table } from './rows.mjs';

const words = /words$/;
const embeddings = /x768/;

/** How many times faster ours is: by the wall clock, by processor time. */
function against(rows, { system, ...wanted }, parameter) {
    return ['wall', 'cpu'].map((clock) =>
        system === 'chronomind' ? '' : (oursOver(rows, { ...wanted, parameter, clock }, system)?.toFixed(2) ?? ''),
    );
}

/** One line per parameter and system: rates by both clocks, and ours against each. */
function rates(rows, wanted, parameters, columns) {
    const lines = [];
    for (const parameter of parameters)
        for (const system of systems(select(rows, { ...wanted, parameter }))) {
            const at = (clock) => one(rows, { ...wanted, parameter, system, clock });
            const [wall, cpu] = [at('wall'), at('cpu')];
            lines.push([...columns(wall, parameter), spread(wall), count(cpu?.median), ...against(rows, { ...wanted, system }, parameter)]);
        }
    return lines;
}

const RATE_COLUMNS = (unit) => [`${unit}, median (min .. max)`, `${unit} by processor time`, 'ours / it', 'by processor time'];

export function machine(rows) {
    const lines = distinct(rows, 'workload').map((workload) => {
        const row = one(rows, { workload });
        return `| ${workload} | ${row.machine} | ${row.commit} |`;
    });
    return ['| workload | machine | commit |', '| --- | --- | --- |', ...lines].join('\n');
}

export function versions(rows) {
    return PEERS.map((system) => one(rows, { system }))
        .filter(Boolean)
        .map((row) => `${row.system} ${row.version}`)
        .join(', ');
}

/** Batches beside single inserts: rates, and what the graphs find. */
export function bulk(rows) {
    const at = (data, parameter, system, wanted) => one(rows, { workload: 'bulk', data, parameter, system, ...wanted });
    const lines = distinct(select(rows, { workload: 'bulk' }), 'data').flatMap((data) => {
        const rate = (system, clock) => at(data, 'all', system, { clock });
        const ratio = (clock) => one(rows, { workload: 'bulk', data, parameter: /^all vs=/, unit: 'ratio', clock });
        const rates = ['wall', 'cpu'].map((clock) => [
            data,
            clock === 'wall' ? 'inserts/s' : 'inserts/s by processor time',
            spread(rate('batch', clock)),
            spread(rate('single inserts', clock)),
            spread(ratio(clock)),
        ]);
        const efs = distinct(select(rows, { workload: 'bulk', data, unit: 'recall' }), 'parameter');
        const found = (ef, system) => {
            const row = at(data, ef, system, { unit: 'recall' });
            return `${share(row.recall)}, ${count(row.distances)}`;
        };
        return [
            ...rates,
            ...efs.map((ef) => [
                data,
                `recall@10 at ${ef.replace('=', ' ')}, distances/query`,
                found(ef, 'batch'),
                found(ef, 'single inserts'),
                '',
            ]),
        ];
    });
    return table(['data', '', 'batch', 'single inserts', 'ratio'], lines);
}

export function searchAtRecall(rows) {
    const lines = [1, 2].flatMap((threads) =>
        rates(rows, { workload: 'search', data: words, threads }, ['recall=0.900', 'recall=0.950', 'recall=0.975'], (row, parameter) => [
            threads,
            share(Number(parameter.split('=')[1])).replace(/0+$/, ''),
            row.system,
            count(row.distances),
        ]),
    );
    return table(['threads', 'recall@10', 'system', 'distances/query', ...RATE_COLUMNS('queries/s')], lines);
}

export function searchByEf(rows) {
    const points = select(rows, { workload: 'search', data: words, threads: 1, parameter: /^ef=\d+$/, clock: 'cpu', unit: 'queries/s' });
    const names = systems(points);
    const lines = distinct(points, 'parameter').map((parameter) => [
        parameter.slice(3),
        ...names.flatMap((system) => {
            const row = one(points, { parameter, system });
            return [share(row.recall), count(row.median)];
        }),
    ]);
    return table(['ef', ...names.flatMap((name) => [`${name}: recall`, 'queries/s'])], lines);
}

/** A build: the whole, and parts of it by the names that the driver gives them. */
function build(rows, wanted, parts) {
    return rates(rows, wanted, Object.keys(parts), (row, parameter) => [
        wanted.threads,
        parts[parameter],
        row.system,
        count(row.distances),
        ...[row.p50_us, row.p99_us, row.p999_us].map(count),
    ]);
}

const BUILD_COLUMNS = ['threads', 'part', 'system', 'distances/insert', 'p50 us', 'p99', 'p99.9', ...RATE_COLUMNS('inserts/s')];

export function inserts(rows) {
    const parts = { all: 'whole build', 'at=100k': 'around 100,000', 'at=340k': 'the last 40,000' };
    const lines = [1, 2].flatMap((threads) => build(rows, { workload: 'insert', data: words, threads }, parts));
    return table(BUILD_COLUMNS, lines);
}

export function million(rows) {
    const parts = { all: 'whole build', 'at=100k': 'around 100,000', 'at=1M': 'the last 40,000' };
    return table(BUILD_COLUMNS, build(rows, { workload: 'million', threads: 1 }, parts));
}

/** What the table of the million leaves out: recall, and the slowest inserts of the worst slice. */
export function millionBesides(rows) {
    const at = (system, parameter) => one(rows, { workload: 'million', system, parameter });
    return systems(select(rows, { workload: 'million' }))
        .map((system) => {
            const [recall, slices] = ['recall ef=200', 'p99.9 of a slice'].map((parameter) => at(system, parameter));
            return `${system}: recall@10 ${share(recall.recall)} at ef 200, p99.9 of 10,000 inserts ${count(slices.median)} us in the median slice and ${count(slices.max)} in the worst`;
        })
        .join('; ');
}

export function unreachable(rows) {
    return select(rows, { workload: /^(insert|million)$/, parameter: 'unreachable' })
        .map((row) => `${row.median} of ${row.data.split('x')[0]} built by ${row.threads === 1 ? 'one thread' : 'two threads'}`)
        .join(', ');
}

export function insertEmbeddings(rows) {
    const lines = [1, 2].flatMap((threads) =>
        rates(rows, { workload: 'insert', data: embeddings, threads }, ['all'], (row) => [
            threads,
            row.system,
            ...[row.p50_us, row.p99_us, row.p999_us].map(count),
        ]),
    );
    return table(['threads', 'system', 'p50 us', 'p99', 'p99.9', ...RATE_COLUMNS('inserts/s')], lines);
}

export function searchEmbeddings(rows) {
    const lines = [1, 2].flatMap((threads) =>
        rates(rows, { workload: 'search', data: embeddings, threads }, ['ef=20', 'ef=50', 'ef=100'], (row, parameter) => [
            threads,
            parameter.slice(3),
            row.system,
            share(row.recall),
            count(row.distances),
        ]),
    );
    return table(['threads', 'ef', 'system', 'recall@10', 'distances/query', ...RATE_COLUMNS('queries/s')], lines);
}

/** f32 beside fewer bits: inserts, bytes, and searches at equal recall, each as a multiple of f32's too. */
export function storage(rows) {
    const all = select(rows, { workload: 'storage', threads: 1 }).filter(
        (row) => row.parameter === 'resident' || (row.clock === 'cpu' && row.unit !== 'ratio'),
    );
    const lines = distinct(all, 'data').flatMap((data) => {
        const recalls = distinct(select(all, { data, parameter: /^recall=/ }), 'parameter');
        const times = (row, base) => (row && base ? `${count(row.median)} (${(row.median / base.median).toFixed(2)} x)` : '');
        return systems(select(all, { data })).map((system) => {
            const at = (name, parameter) => one(all, { data, system: name, parameter });
            return [
                data,
                system,
                count(at(system, 'inserts').bytes),
                at(system, 'resident') ? count(at(system, 'resident').median) : '',
                times(at(system, 'inserts'), at('chronomind', 'inserts')),
                share(at(system, 'ef=100')?.recall ?? at(system, 'ef=200')?.recall),
                ...recalls.map((parameter) => `${times(at(system, parameter), at('chronomind', parameter))} at ${parameter.slice(8, -1)}`),
            ];
        });
    });
    const columns = ['data', 'system', 'bytes per vector, index included', 'of these in memory', 'inserts/s', 'recall@10 at ef 200 (100)'];
    return table([...columns, 'queries/s at equal recall', 'and at a higher one'], lines);
}

export function mixed(rows) {
    const lines = [1, 2].flatMap((threads) =>
        rates(rows, { workload: 'mixed', threads }, ['90/10 ef=50'], (row) => [threads, row.system, share(row.recall)]),
    );
    return table(['threads', 'system', 'recall@10', ...RATE_COLUMNS('operations/s')], lines);
}

export function readers(rows) {
    const all = select(rows, { workload: 'readers-under-writes' });
    const lines = ['1+1', '2+2'].flatMap((pairs) =>
        systems(all).map((system) => {
            const find = (phase, unit, clock) => one(all, { system, parameter: `${pairs} ${phase}`, unit, clock });
            const [idle, written] = ['idle', 'written'].map((phase) => find(phase, 'reads/s', 'wall'));
            const ours = (clock) =>
                ['reads', 'writes']
                    .map((what) => ratio(one(all, { unit: 'ratio', parameter: `${pairs} written ${what} vs=${system}`, clock })))
                    .filter(Boolean)
                    .join(', ');
            const latencies = (row) => [row.p50_us, row.p99_us, row.p999_us].map(count).join(' / ');
            return [
                pairs,
                system,
                share(idle.recall),
                count(idle.median),
                latencies(idle),
                spread(written),
                latencies(written),
                spread(find('written', 'writes/s', 'wall')),
                ['reads/s', 'writes/s'].map((unit) => count(find('written', unit, 'cpu')?.median)).join(', '),
                ours('wall'),
                ours('cpu'),
            ];
        }),
    );
    const header = [
        'readers + writers',
        'system',
        'recall@10',
        'idle: reads/s',
        'p50 / p99 / p99.9 us',
        'written: reads/s',
        'p50 / p99 / p99.9 us',
        'writes/s',
        'reads, writes/s by processor time',
        'ours / it: reads, writes',
        'by processor time',
    ];
    return table(header, lines);
}

export function memory(rows) {
    const all = select(rows, { workload: 'memory' });
    const sets = distinct(all, 'data');
    const lines = systems(all).map((system) => [
        system,
        ...sets.flatMap((data) => {
            const row = one(all, { system, data });
            return [count(row.median), count(row.bytes && row.bytes - 4 * Number(/x(\d+)/.exec(data)[1]))];
        }),
    ]);
    return table(['system', ...sets.flatMap((data) => [`${data}: resident`, 'by its own account'])], lines);
}

export function load(rows) {
    const all = select(rows, { workload: 'load' });
    const lines = systems(all).map((system) => {
        const [save, load] = ['save', 'load'].map((parameter) => one(all, { system, parameter }));
        return [system, spread(save), spread(load), count(load.bytes), share(load.recall)];
    });
    return table(['system', 'save, s', 'load, s', 'bytes per vector in the file', 'recall@10 at ef 80, once loaded'], lines);
}

export function kernels(rows) {
    const all = select(rows, { workload: 'kernels' });
    const isas = distinct(all, 'system');
    const lines = [100, 384, 768, 1536].map((n) => [
        n,
        ...isas.map((system) =>
            ['dot', 'dot4'].map((kernel) => count(one(all, { system, parameter: `${kernel} n=${n}` })?.median)).join(', '),
        ),
    ]);
    return table(['dimensions', ...isas], lines);
}

/** A file whose columns are its own, as it is. */
export function plain(rows) {
    const names = Object.keys(rows[0]).filter(
        (name) => !['machine', 'commit'].includes(name) && rows.some((row) => row[name] !== '' && row[name] !== undefined),
    );
    return table(
        names,
        rows.map((row) => names.map((name) => (typeof row[name] === 'number' ? count(row[name]) : (row[name] ?? '')))),
    );
}
