"""Ray starts and one deployment answers: what continuous integration tries before all else."""

from urllib.request import urlopen

from ray import serve

from helpers.scale import RunningRay


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Hello:
    async def __call__(self, _: object) -> str:
        return "hello"


def test_ray_starts_and_a_deployment_answers(ray_cluster: RunningRay) -> None:
    url = ray_cluster.serve(Hello.bind(), name="hello")
    with urlopen(url, timeout=10) as reply:
        assert reply.read() == b"hello"
    ray_cluster.delete("hello")
