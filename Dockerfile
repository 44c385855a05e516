# docker build -t yuki-builder .                              for CPUs
# docker build -t yuki-builder --build-arg TORCH=cu130 .      for NVIDIA GPUs; the tag is one of PyTorch's CUDA builds
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -v yuki-cache:/cache yuki-builder --video ep01.mkv
FROM python:3.11-slim-bookworm AS build
ARG TORCH=cpu
# A compiler for the separator's kernels, and for packages that come as source.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc g++ libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN /src/docker/install.sh /opt/yuki "$TORCH"

FROM python:3.11-slim-bookworm
COPY --from=build /opt/yuki /opt/yuki
# Any user may run it: a home to write to, and a cache for models that are downloaded.
RUN mkdir --mode=1777 /cache
ENV PATH=/opt/yuki/bin:$PATH HOME=/tmp XDG_CACHE_HOME=/cache
WORKDIR /work
ENTRYPOINT ["yuki-builder"]
