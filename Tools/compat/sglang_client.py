"""SGLang's frontend language over RuntimeEndpoint, and its native endpoints with plain HTTP."""

import httpx

from scene import DOCUMENT, QUESTION, expect, expect_answer


def prompt() -> str:
    return (f"<|im_start|>system\n{DOCUMENT}<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n"
            "<|im_start|>assistant\n")


def frontend_checks(url: str, model: str):
    import sglang as sgl
    from sglang.lang.backend.runtime_endpoint import RuntimeEndpoint

    sgl.set_default_backend(RuntimeEndpoint(url, chat_template_name="chatml"))

    @sgl.function
    def ask(s):
        s += sgl.system(DOCUMENT) + sgl.user(QUESTION) + sgl.assistant(sgl.gen("answer", max_tokens=20, temperature=0))

    @sgl.function
    def choose(s):
        s += sgl.system(DOCUMENT) + sgl.user(QUESTION)
        s += sgl.assistant("The captain is " + sgl.select("who", choices=["Teren Oskai", "Ilka Sond"]))

    @sgl.function
    def fork(s):
        s += sgl.system(DOCUMENT)
        branches = s.fork(2)
        for branch, question in zip(branches, [QUESTION, "How long is the ship Velmora?"]):
            branch += sgl.user(question) + sgl.assistant(sgl.gen("a", max_tokens=20, temperature=0))
        s["both"] = [branch["a"] for branch in branches]

    @sgl.function
    def regex(s):
        s += sgl.user("A number.") + sgl.assistant(sgl.gen("n", max_tokens=8, regex=r"[0-9]{3}", temperature=0))

    def gen():
        expect_answer(ask.run()["answer"])

    def gen_stream():
        expect_answer("".join(ask.run(stream=True).text_iter("answer")))

    def select():
        expect(choose.run()["who"] == "Teren Oskai", "select")

    def forked():
        both = fork.run()["both"]
        expect_answer(both[0])
        expect("47" in both[1], both)

    def constrained():
        number = regex.run()["n"]
        expect(len(number) == 3 and number.isdigit(), number)

    yield from [gen, gen_stream, select, forked, constrained]


def native_checks(url: str, model: str):
    http = httpx.Client(base_url=url, timeout=60)

    def post(path, body):
        response = http.post(path, json=body)
        expect(response.status_code == 200, response.text)
        return response.json()

    def generate():
        answer = post("/generate", {"text": prompt(), "sampling_params": {"temperature": 0, "max_new_tokens": 20}})
        expect_answer(answer["text"])
        expect(answer["meta_info"]["finish_reason"]["type"] == "stop", answer["meta_info"])

    def cache_prefix():
        http.post("/flush_cache")
        post("/generate", {"text": prompt(), "sampling_params": {"max_new_tokens": 0}})
        answer = post("/generate", {"text": prompt(), "sampling_params": {"max_new_tokens": 1}})
        expect(answer["meta_info"]["cached_tokens"] == answer["meta_info"]["prompt_tokens"] - 1, answer["meta_info"])

    def select():
        """As RuntimeEndpoint.select does it."""
        text = prompt() + "The captain is "
        length = post("/generate", {"text": text, "sampling_params": {"max_new_tokens": 0}})["meta_info"]["prompt_tokens"]
        choices = ["Teren Oskai", "Ilka Sond", "Brenast"]
        answers = post("/generate", {
            "text": [text + choice for choice in choices],
            "sampling_params": {"max_new_tokens": 0, "temperature": 0}, "return_logprob": True,
            "return_text_in_logprobs": True, "logprob_start_len": max(length - 2, 0)})
        scores = []
        for answer in answers:
            values = [entry[0] for entry in answer["meta_info"]["input_token_logprobs"] if entry[0]]
            scores.append(sum(values) / len(values))
        expect(scores.index(max(scores)) == 0, scores)

    def session():
        ids = post("/open_session", {"capacity_of_str_len": 10000})
        first = post("/generate", {"text": prompt(), "session_params": {"id": ids, "rid": None},
                                   "sampling_params": {"temperature": 0, "max_new_tokens": 20}})
        more = "<|im_end|>\n<|im_start|>user\nHow long is the ship Velmora?<|im_end|>\n<|im_start|>assistant\n"
        second = post("/generate", {"text": more, "session_params": {"id": ids, "rid": first["meta_info"]["id"]},
                                    "sampling_params": {"temperature": 0, "max_new_tokens": 20}})
        expect("47" in second["text"] and second["meta_info"]["cached_tokens"] > 20, second)
        http.post("/close_session", json={"session_id": ids})

    def score():
        ids = post("/tokenize", {"prompt": ["T", "I"], "add_special_tokens": False})["tokens"]
        labels = [entry[0] for entry in ids]
        answer = post("/v1/score", {"query": prompt(), "items": ["", ""], "label_token_ids": labels,
                                    "apply_softmax": True, "model": model})
        expect(abs(sum(answer["scores"][0]) - 1) < 1e-6, answer)

    def operators():
        for path in ["/get_model_info", "/model_info", "/get_server_info", "/server_info", "/v1/loads", "/get_load",
                     "/health", "/livez", "/readyz", "/ping", "/load", "/version", "/openapi.json"]:
            expect(http.get(path).status_code == 200, path)
        for path in ["/start_profile", "/pause_generation", "/continue_generation"]:
            expect(http.post(path, json={}).status_code == 200, path)
        generate()
        trace = http.post("/stop_profile").json()
        expect({"forward", "sample"} <= {event["name"] for event in trace["traceEvents"]}, "trace")

    yield from [generate, cache_prefix, select, session, score, operators]
