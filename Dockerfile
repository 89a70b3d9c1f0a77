# docker build -t dynas . && docker run --rm -v "$PWD/outputs:/runs/outputs" dynas search experiment=quick
FROM python:3.11-slim AS wheel
RUN pip install --no-cache-dir build
COPY . /src
RUN python -m build --wheel --outdir /dist /src

FROM python:3.11-slim
COPY --from=wheel /dist/*.whl /src/constraints.txt /tmp/
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
    --constraint /tmp/constraints.txt /tmp/*.whl && rm /tmp/*.whl /tmp/constraints.txt
ENV OMP_WAIT_POLICY=passive MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --create-home user && mkdir /runs && chown user /runs
USER user
WORKDIR /runs
ENTRYPOINT ["dynas"]
CMD ["search", "supernet=mbv3", "algo=nsga2", "mode=linas"]
