"""What the SDK's examples for the Responses API do: streams, structured output, tools, background, the next turn."""

import openai
from pydantic import BaseModel


class Step(BaseModel):
    """A step of a solution."""

    explanation: str
    output: str


class MathResponse(BaseModel):
    """A solution."""

    steps: list[Step]
    final_answer: str


class Query(BaseModel):
    """A query of a table."""

    table_name: str
    columns: list[str]


MATH = {"model": "gpt-4o-2024-08-06", "input": "solve 8x + 31 = 2", "text_format": MathResponse}
QUERY = {
    "model": "gpt-4o-2024-08-06",
    "input": "look up all my orders in november of last year that were fulfilled but not delivered on time",
}


def tools():
    """The tool of the examples, in the form of the Responses API."""
    function = openai.pydantic_function_tool(Query)
    return [{"type": "function", **function["function"]}]


def program(client):
    """What each of the examples ends with."""
    parsed = client.responses.parse(**MATH).output_parsed
    with client.responses.stream(**MATH) as stream:
        types = {event.type for event in stream if "output_text" in event.type}
        streamed = stream.get_final_response().output_parsed
    (call,) = (each for each in client.responses.parse(**QUERY, tools=tools()).output if each.type == "function_call")
    with client.responses.stream(**QUERY, tools=tools()) as stream:
        for event in stream:
            if event.type == "response.function_call_arguments.delta":
                types.add("arguments")
        last = stream.get_final_response()
    job = client.responses.create(model="o3", input="Write a very long novel", background=True)
    while job.status in {"queued", "in_progress"}:
        job = client.responses.retrieve(job.id)
    follow_up = client.responses.create(model="o3", input="Shorter!", previous_response_id=job.id, store=True)
    return parsed, streamed, types, call.parsed_arguments, last.output[-1].name, job.output_text, follow_up.output_text


async def program_async(client):
    """The same, asynchronous."""
    parsed = (await client.responses.parse(**MATH)).output_parsed
    async with client.responses.stream(**MATH) as stream:
        types = {event.type async for event in stream if "output_text" in event.type}
        streamed = (await stream.get_final_response()).output_parsed
    answer = await client.responses.parse(**QUERY, tools=tools())
    (call,) = (each for each in answer.output if each.type == "function_call")
    async with client.responses.stream(**QUERY, tools=tools()) as stream:
        async for event in stream:
            if event.type == "response.function_call_arguments.delta":
                types.add("arguments")
        last = await stream.get_final_response()
    job = await client.responses.create(model="o3", input="Write a very long novel", background=True)
    while job.status in {"queued", "in_progress"}:
        job = await client.responses.retrieve(job.id)
    follow_up = await client.responses.create(model="o3", input="Shorter!", previous_response_id=job.id, store=True)
    return parsed, streamed, types, call.parsed_arguments, last.output[-1].name, job.output_text, follow_up.output_text
