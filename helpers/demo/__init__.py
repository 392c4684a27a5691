"""`course demo`: the agent answers, a note makes it leak, a control stops it, a trace shows where.

It composes three rooms: the agent, the attacks and controls of `security`, and the service of
`tracing`. Everything is real and of this run: the local model, a new secret, the traces.
"""
