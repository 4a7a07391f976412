/** What Node is given for a process that lives through histories: more than one has ever taken, so that one which runs wild ends itself. */
export const workerFlags = ['--max-old-space-size=600', '--max-semi-space-size=32']
