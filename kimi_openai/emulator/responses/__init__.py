"""The Responses API as Kimi has it: stateless, and narrower than OpenAI's.

`refusals` says what is refused, `chat_form` turns a body into a chat body that the other packages answer, `output` and
`events` put the reply on the wire. Source: platform docs, responses--create, and live requests of 2026-09-03.
"""
